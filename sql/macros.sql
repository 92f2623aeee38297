-- What has no portable SQL form, under one name each. Porting to another engine means porting this file.
create or replace macro json_list(rows) as cast(to_json(rows) as varchar);
create or replace macro json_text(x) as cast(to_json(x) as varchar);
create or replace macro days_between(earlier, later) as date_diff('day', earlier, later);
create or replace macro utc_day(instant) as cast(instant as date);
create or replace macro day_start(day) as cast(day as timestamptz);
create or replace macro hours_between(earlier, later) as date_sub('hour', earlier, later);
create or replace macro seconds_between(earlier, later) as (epoch_us(later) - epoch_us(earlier)) / 1000000.0;
create or replace macro hours(n) as to_hours(n);
-- one row for each day from the first to the last, none where the last lies before the first
create or replace macro each_day(first_day, last_day) as cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date);
-- RFC 3339, to the second
create or replace macro instant_text(instant) as strftime(timezone('UTC', instant), '%Y-%m-%dT%H:%M:%SZ');
create or replace macro minute_text(instant) as strftime(instant, '%Y-%m-%d %H:%M');
-- the earlier of two instants, either of which may be unknown
create or replace macro earlier_of(one, other) as coalesce(least(one, other), one, other);
-- the days of [first, until) as a list
create or replace macro days_listed(first, until) as
    cast(range(cast(first as timestamp), cast(until as timestamp), interval 1 day) as date[]);
create or replace macro plus_days(day, n) as day + cast(n as integer);
-- text without surrounding white space, null where nothing is left
create or replace macro filled(txt) as nullif(trim(txt, chr(32) || chr(9) || chr(10) || chr(13)), '');
create or replace macro newest_version(breaks, day) as coalesce(list_max([b.version for b in breaks if b.date <= day]), 1);
create or replace macro json_field(txt, name) as json_extract_string(txt, '$.' || name);
create or replace macro is_json_object(txt) as case when json_valid(txt) then json_type(txt) = 'OBJECT' else false end;
create or replace macro quoted(txt) as '''' || left(txt, 60) || case when length(txt) > 60 then '…' else '' end || '''';
-- The same number whatever order the rows come in, so that a rebuild equals what it replaces: compensated, and
-- rounded far below any metric's resolution (the finest is a millisecond).
create or replace macro stable_sum(x) as round(fsum(x), 6);
-- 15 significant digits, as many as a double has for sure: 13610.53 and not 13610.529999999999
create or replace macro significant(x) as case
    when abs(x) between 1e-6 and 1e14 then round(x, 14 - cast(floor(log10(abs(x))) as integer)) else x
end;
create or replace macro utc_hour(instant) as cast(extract('hour' from instant) as integer);
-- the same for equal pairs, hardly ever for others (engines differ, so it is never stored)
create or replace macro pair_hash(one, other) as hash(one, other);
create or replace macro iso_weekday(day) as cast(extract('isodow' from day) as integer);
-- what message_statuses know a message by: hexadecimal digits of the platform's id
create or replace macro message_key(id) as sha256(id);
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
-- Places. Degrees north and east, south and west negative. The great-circle distance in km by the haversine formula
-- (R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984) on a sphere of the mean Earth radius of
-- IUGG, 6371.0088 km. A sphere is up to 0.56 % off the ellipsoid. Null where a coordinate is.
create or replace macro haversine(lat1, lon1, lat2, lon2) as
    sin(radians(lat2 - lat1) / 2) ** 2
    + cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lon2 - lon1) / 2) ** 2;
-- rounding may take the haversine of opposite points past 1, where asin ends
create or replace macro distance_km(lat1, lon1, lat2, lon2) as
    2 * 6371.0088 * asin(sqrt(
        case when haversine(lat1, lon1, lat2, lon2) > 1 then 1 else haversine(lat1, lon1, lat2, lon2) end
    ));
create or replace macro within_km(lat, lon, centre_lat, centre_lon, km) as
    distance_km(lat, lon, centre_lat, centre_lon) <= km;
create or replace macro between_meridians(lon, west, east) as
    case when west <= east then lon >= west and lon <= east else lon >= west or lon <= east end;
-- Edges belong to the box. West of more than east crosses the antimeridian, whose two names 180 and -180 are one. The
-- poles lie on every meridian.
create or replace macro in_box(lat, lon, south, west, north, east) as
    lat >= south and lat <= north
    and (
        between_meridians(lon, west, east)
        or (abs(lon) = 180 and between_meridians(-lon, west, east))
        or (abs(lat) = 90 and lon is not null)
    );
create or replace macro cell_column(lon, degrees) as floor(round(lon / degrees, 9));
-- The centre of the cell of a grid of so many degrees that a place lies in, as a struct of latitude and longitude: a
-- cell has its southern and western edge, 180 is -180, and the pole is in the last row. Rounded first, since 0.3 / 0.1
-- is a little less than 3. Meant for degrees that divide 90.
create or replace macro area_of(lat, lon, degrees) as
    case when lat is not null and lon is not null then {
        'latitude': round(
            (least(floor(round(lat / degrees, 9)), round(90 / degrees, 9) - 1) + 0.5) * degrees, 9
        ),
        'longitude': round(
            (
                cell_column(lon, degrees)
                -- 180, and what rounds to it, lies in the cell that begins at -180
                - case when cell_column(lon, degrees) >= round(180 / degrees, 9) then round(360 / degrees, 9) else 0 end
                + 0.5
            ) * degrees, 9
        )
    } end;
-- how many people a place needs to be named, METRICS_AREA_MINIMUM_VIEWERS where a connection knows the settings
create or replace macro area_minimum_viewers() as 5;
-- The bucket of a logarithmic histogram for a size above zero: b holds sizes in (g^(b-1), g^b] with g = 1.01/0.99, and
-- stands for 2 g^b / (g + 1), at most 1 % off. realtime/log_buckets.py has the same rule.
create or replace macro log_bucket(size) as cast(ceil(ln(size) / ln(1.01 / 0.99)) as integer);
create or replace macro log_bucket_middle(bucket) as 2 * pow(1.01 / 0.99, bucket) / (1.01 / 0.99 + 1);
-- A number as a real-time bucket adds it up: whole units, rounded down, and the millionths above them.
create or replace macro millionths_up(x) as cast(round_even((x - floor(x)) * 1000000, 0) as bigint);
create or replace macro whole_units(x) as cast(floor(x) as bigint) + millionths_up(x) // 1000000;
create or replace macro millionths(x) as millionths_up(x) % 1000000;
-- the fields under which a real-time bucket counts the values of a histogram
create or replace macro histogram_field(x) as case
    when x = 0 then 'z'
    when x > 0 then 'p' || log_bucket(x)
    else 'm' || log_bucket(-x)
end;
-- the real-time bucket, of so many seconds of Unix time, that an instant lies in
create or replace macro bucket_number(instant, width) as epoch_us(instant) // 1000000 // width;
create or replace macro median_of(x) as median(x);
-- the median of the distances from the median
create or replace macro absolute_deviation(x) as mad(x);
create or replace macro weekday_name(day) as dayname(day);
-- a number for people: 1,204 or 0.0523
create or replace macro shown_number(x) as case
    when x = round(x) then format('{:,}', cast(x as bigint))
    when abs(x) < 1 then format('{:.4f}', cast(x as double))
    else format('{:,.2f}', cast(x as double))
end;
-- the number, null where it is none that can be written: NaN or infinite
create or replace macro finite(x) as case when isfinite(x) then x end;
