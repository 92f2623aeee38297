-- What has no portable SQL form, under one name each. Porting to another engine means porting this file.
create or replace macro json_list(rows) as cast(to_json(rows) as varchar);
create or replace macro days_between(earlier, later) as date_diff('day', earlier, later);
create or replace macro utc_day(instant) as cast(instant as date);
create or replace macro day_start(day) as cast(day as timestamptz);
create or replace macro hours_between(earlier, later) as date_sub('hour', earlier, later);
create or replace macro hours(n) as to_hours(n);
create or replace macro plus_days(day, n) as day + cast(n as integer);
-- text without surrounding white space, null where nothing is left
create or replace macro filled(txt) as nullif(trim(txt, chr(32) || chr(9) || chr(10) || chr(13)), '');
create or replace macro newest_version(breaks, day) as coalesce(list_max([b.version for b in breaks if b.date <= day]), 1);
create or replace macro is_json_object(txt) as case when json_valid(txt) then json_type(txt) = 'OBJECT' else false end;
create or replace macro quoted(txt) as '''' || left(txt, 60) || case when length(txt) > 60 then '…' else '' end || '''';
-- The same number whatever order the rows come in, so that a rebuild equals what it replaces: compensated, and
-- rounded far below any metric's resolution (the finest is a millisecond).
create or replace macro stable_sum(x) as round(fsum(x), 6);
create or replace macro utc_hour(instant) as cast(extract('hour' from instant) as integer);
-- the same for equal pairs, hardly ever for others (engines differ, so it is never stored)
create or replace macro pair_hash(one, other) as hash(one, other);
create or replace macro iso_weekday(day) as cast(extract('isodow' from day) as integer);
-- what a view is counted under, of what the client says where its content was found
create or replace macro content_source(source_type) as case lower(trim(source_type))
    when 'for_you' then 'organic'
    when 'organic' then 'organic'
    when 'following' then 'following'
    when 'profile' then 'profile'
    when 'hashtag' then 'hashtag'
    when 'search' then 'search'
    when 'direct' then 'direct'
    else 'other'
end;
