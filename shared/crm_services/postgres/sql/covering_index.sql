-- Optional, for CRMs of hundreds of thousands of customers whose machines' figures change seldom: the batch then reads no
-- table of machines. It takes a seventh off a run over a million customers whose tables are in memory, and makes each
-- change of a machine's hashrate, power, price or status write twice as much. Apply it as the owner of the CRM's tables,
-- who also drops it: the migration neither makes it nor takes it away.
create index concurrently if not exists crm_hosting_miner_figures on public.user_miners (user_id)
  include (miner_model_id, quantity, actual_hashrate, actual_power, electricity_cost, status);
