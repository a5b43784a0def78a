-- The CRM's tables, as the bundle finds them: development only, a real CRM brings its own. The columns that the bundle
-- neither reads nor writes are there too, as far as they may get in its way: secrets, notes, what is not null.

create table user_access (
    id serial primary key,
    name varchar(100) not null,
    email varchar(256) not null unique,
    username varchar(50) unique,
    password_hash varchar(512),
    is_email_verified boolean not null default false,
    email_verification_token varchar(100),
    company varchar(200),
    position varchar(100),
    created_at timestamp not null default (now() at time zone 'utc'),
    expires_at timestamp,
    access_days integer not null default 30,
    notes text,
    last_login timestamp,
    role varchar(20) not null default 'guest',
    is_active boolean not null default true,
    created_by_id integer references user_access (id),
    subscription_plan varchar(20) not null default 'free',
    wallet_address varchar(100)
);

create table hosting_sites (
    id serial primary key,
    name varchar(100) not null,
    slug varchar(100) unique,
    location varchar(200) not null,
    capacity_mw double precision not null,
    used_capacity_mw double precision not null default 0,
    electricity_rate double precision not null,
    operator_name varchar(100) not null,
    contact_email varchar(256),
    status varchar(20) not null default 'online',
    owner_id integer references user_access (id),
    created_at timestamp not null default (now() at time zone 'utc'),
    updated_at timestamp not null default (now() at time zone 'utc')
);

create table crm_customers (
    id serial primary key,
    name varchar(100) not null,
    company varchar(200),
    email varchar(256),
    phone varchar(50),
    address varchar(500),
    tags varchar(500),
    customer_type varchar(50) not null default '企业',
    notes text,
    created_at timestamp not null default (now() at time zone 'utc'),
    updated_at timestamp not null default (now() at time zone 'utc'),
    mining_capacity double precision,
    status varchar(20) not null default 'active',
    electricity_cost double precision,
    miners_count integer not null default 0,
    primary_miner_model varchar(100),
    created_by_id integer references user_access (id),
    user_account_id integer references user_access (id),
    site_id integer references hosting_sites (id)
);

create table miner_models (
    id serial primary key,
    model_name varchar(100) not null unique,
    manufacturer varchar(50) not null,
    reference_hashrate double precision not null,
    reference_power integer not null,
    reference_efficiency double precision,
    release_date date,
    reference_price double precision,
    chip_type varchar(50),
    is_active boolean not null default true
);

create table user_miners (
    id serial primary key,
    user_id integer not null references user_access (id),
    miner_model_id integer not null references miner_models (id),
    custom_name varchar(100),
    quantity integer not null default 1,
    actual_hashrate double precision not null,
    actual_power integer not null,
    actual_price double precision not null default 0,
    electricity_cost double precision not null,
    decay_rate_monthly double precision not null default 0.5,
    original_hashrate double precision,
    purchase_date date,
    status varchar(20) not null default 'active',
    location varchar(200),
    notes text,
    created_at timestamp not null default (now() at time zone 'utc'),
    updated_at timestamp not null default (now() at time zone 'utc')
);
create index on user_miners (user_id);
create index on user_miners (miner_model_id);

create table hosting_miners (
    id serial primary key,
    site_id integer not null references hosting_sites (id),
    customer_id integer not null references user_access (id),  -- the account, in spite of its name
    miner_model_id integer not null references miner_models (id),
    serial_number varchar(100) not null unique,
    rack_position varchar(50),
    ip_address varchar(45),
    actual_hashrate double precision not null,
    actual_power double precision not null,
    status varchar(20) not null default 'active',
    approval_status varchar(20) default 'draft',
    submitted_by integer references user_access (id),
    approved_by integer references user_access (id),
    health_score integer not null default 100,
    temperature_avg double precision,
    temperature_max double precision,
    fan_avg integer,
    reject_rate double precision,
    hardware_errors integer,
    uptime_seconds integer,
    hashrate_5s double precision,
    cgminer_online boolean default false,
    last_seen timestamp,
    created_at timestamp not null default (now() at time zone 'utc'),
    updated_at timestamp not null default (now() at time zone 'utc')
);
create index on hosting_miners (customer_id);
create index on hosting_miners (site_id);

create table telemetry_daily (
    id serial primary key,
    day date not null,
    site_id integer not null,
    miner_id varchar(50) not null,  -- the serial number
    avg_hashrate_ths double precision,
    avg_temp_c double precision,
    avg_power_w double precision,
    total_power_kwh double precision,
    online_ratio double precision,
    uptime_hours double precision,
    samples integer,
    unique (site_id, miner_id, day)
);

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
