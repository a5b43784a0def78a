-- The CRM's tables, as the bundle finds them: development only, a real CRM brings its own.

create table user_access (
    id serial primary key,
    name varchar(100) not null,
    email varchar(256) not null unique,
    password_hash varchar(256),
    role varchar(20) not null default 'guest',
    is_active boolean not null default true,
    expires_at timestamp,
    created_by_id integer references user_access (id)
);

create table crm_customers (
    id serial primary key,
    name varchar(100) not null,
    company varchar(200),
    email varchar(256),
    phone varchar(50),
    notes text,
    created_at timestamp not null default (now() at time zone 'utc'),
    updated_at timestamp not null default (now() at time zone 'utc'),
    mining_capacity double precision,
    status varchar(20) not null default 'active',
    electricity_cost double precision,
    miners_count integer not null default 0,
    primary_miner_model varchar(100),
    created_by_id integer references user_access (id)
);

create table miner_models (
    id serial primary key,
    model_name varchar(100) not null unique,
    manufacturer varchar(50) not null,
    reference_hashrate double precision not null,
    reference_power integer not null,
    reference_efficiency double precision
);

create table user_miners (
    id serial primary key,
    user_id integer not null references user_access (id),
    miner_model_id integer not null references miner_models (id),
    custom_name varchar(100),
    quantity integer not null default 1,
    actual_hashrate double precision not null,
    actual_power integer not null,
    electricity_cost double precision not null,
    status varchar(20) not null default 'active',
    location varchar(200),
    notes text,
    created_at timestamp not null default (now() at time zone 'utc'),
    updated_at timestamp not null default (now() at time zone 'utc')
);
create index on user_miners (user_id);
create index on user_miners (miner_model_id);

create table network_snapshots (
    id serial primary key,
    recorded_at timestamp not null default (now() at time zone 'utc'),
    btc_price double precision not null,
    network_difficulty double precision not null,
    network_hashrate double precision not null,
    block_reward double precision not null default 3.125,
    price_source varchar(50),
    data_source varchar(50),
    is_valid boolean default true
);
create index on network_snapshots (recorded_at);
