-- What counts of a miner row.

-- A figure that is not a finite number >= 0 counts as 0. (NaN sorts above Infinity, so one comparison bars both.)
-- A double precision counts as the decimal of 15 significant digits that PostgreSQL makes of it: 0.1 is 0.1.
create or replace function crm_hosting.is_usable(figure double precision) returns boolean
language sql immutable parallel safe
return coalesce(figure >= 0 and figure < 'Infinity', false);

create or replace function crm_hosting.usable(figure double precision) returns numeric
language sql immutable parallel safe
return case when figure >= 0 and figure < 'Infinity' then figure::numeric else 0 end;

-- The figure as a whole number of 1/scale, or null where it is none (or large): whole numbers add up ten times as
-- fast as numeric. Exact: k / 10^n is the double nearest to that decimal, whose 15 digits numeric would read.
create or replace function crm_hosting.whole(figure double precision, scale double precision) returns bigint
language sql immutable parallel safe
return case when figure >= 0 and figure < 2147483648 / scale  -- in a case of its own: what is larger overflows below
            then case when round(figure * scale) / scale = figure then (figure * scale)::bigint end end;

-- The power of a machine in whole W, half away from zero, whichever type the column has; null for what is none.
create or replace function crm_hosting.watts(power integer) returns integer
language sql immutable parallel safe
return power;

create or replace function crm_hosting.watts(power double precision) returns integer
language sql immutable parallel safe
return case when power >= 0 and power < 2147483647 then floor(power + 0.5)::integer end;

-- What 1 TH/s earns: BTC a day on average, to 40 places, = hashes a day x BTC a block / hashes a block. 10^12 is the SI
-- prefix, 86400 the seconds of a day; 2^32 x difficulty hashes are expected for a block, as the target of difficulty 1 is
-- 2^224 of 2^256 possible hashes: https://en.bitcoin.it/wiki/Difficulty
create or replace function crm_hosting.btc_per_terahash_day(difficulty numeric, block_reward numeric) returns numeric
language sql immutable parallel safe
return round(1e12 * 86400 * block_reward, 40) / (difficulty * 4294967296);

-- Whether the figures of a machine are such as none of its model has: more than three times the hashrate of its data
-- sheet, or less than a hundredth (another unit was typed) of one that hashes at all; more than three times the power, or
-- less than a third while it hashes; or a kWh for more than a dollar. Where no data sheet is known, more than the largest
-- machines there are. 0 while it stands still is ordinary, and what is no figure at all is found as that. An ordinary
-- machine is let go by the first condition of each line; nothing is multiplied that could overflow.
create or replace function crm_hosting.is_unlikely(
  hashrate double precision, power integer, price double precision,
  reference_hashrate double precision, reference_power integer
) returns boolean
language sql immutable parallel safe
return (reference_hashrate < 1e15 and hashrate > reference_hashrate * 3 and hashrate < 'Infinity'
        and (reference_hashrate > 0 or hashrate > 1500))
    or (reference_hashrate >= 1e15 and hashrate > 1500 and hashrate < 'Infinity')
    or (hashrate > 0 and hashrate < 1e15 and reference_hashrate < 1e15 and hashrate * 100 < reference_hashrate)
    or (power > reference_power::bigint * 3 and (reference_power > 0 or power > 20000))
    or (power::bigint * 3 < reference_power and power > 0 and hashrate > 0 and hashrate < 'Infinity')
    or (price > 1 and price < 'Infinity');

-- Text without what nobody sees at its ends: white space of any kind, and characters without width.
create or replace function crm_hosting.trimmed(words text) returns text
language sql immutable parallel safe
return btrim(words, E' \t\n\u000b\f\r\u0085\u00a0\u00ad\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006'
                    '\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff');

-- Whether there is something to see. What begins as most names do, by a character of ASCII, Chinese or Japanese, is told
-- by that: trimming costs more than all the rest of a row in a list.
create or replace function crm_hosting.has_text(words text) returns boolean
language sql immutable parallel safe
return ascii(words) between 33 and 126 or ascii(words) between 12289 and 65278 or crm_hosting.trimmed(words) <> '';

-- Which of the four statuses a word of the CRM's means, or null for one that nobody knows.
create or replace function crm_hosting.meaning(word text) returns text
language sql immutable parallel safe
return case when word in ('manual', 'online', 'active') then 'active'
            when word in ('offline', 'error', 'disabled', 'pending') then 'offline'
            when word in ('maintenance', 'sold') then word end;

-- The status that a row's word means, or null. As the CRM writes it is the common case and the quick one. Collation C
-- folds ASCII alone, so that no server's alphabet makes a word of another one.
create or replace function crm_hosting.known_status(status text) returns text
language sql immutable parallel safe
return coalesce(crm_hosting.meaning(status), crm_hosting.meaning(lower(crm_hosting.trimmed(status) collate "C")));

-- The status that a row counts under: an unknown one is taken for offline.
create or replace function crm_hosting.counted_status(status text) returns text
language sql immutable parallel safe
return coalesce(crm_hosting.known_status(status), 'offline');
