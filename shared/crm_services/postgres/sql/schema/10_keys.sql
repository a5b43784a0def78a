-- The bundle's schema, and what a customer and an account are matched by.

create schema if not exists crm_hosting;

-- Blank, tab, CR, LF, no-break and ideographic space are trimmed; an empty address is no key at all.
create or replace function crm_hosting.email_key(email text) returns text
language sql immutable parallel safe
return nullif(lower(btrim(email, E' \t\r\n\u00a0\u3000')), '');
