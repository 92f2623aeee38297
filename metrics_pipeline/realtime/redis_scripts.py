"""What Redis does in one step each, in Lua: core commands of Redis 6.2 and of Valkey."""

from __future__ import annotations

# KEYS: the registry of a slot, as in redis_keys. ARGV: kind, unit, cap, now, end of life (seconds), overflow id, its
# labels, then id, labels, microseconds of each new series. Returns the metric's kind, then 1 for each that has a place.
ADMIT = """
redis.call('hsetnx', KEYS[1], 'kind', ARGV[1])
redis.call('hsetnx', KEYS[1], 'unit', ARGV[2])
redis.call('hsetnx', KEYS[1], 'born', ARGV[4])
local found = {redis.call('hget', KEYS[1], 'kind')}
if found[1] == ARGV[1] then
  local function known(id, labels, at)
    redis.call('hset', KEYS[2], id, labels)
    redis.call('zadd', KEYS[3], 'NX', at, id)
    redis.call('zadd', KEYS[4], 'NX', at, id)
  end
  local overflow = ARGV[6]
  for i = 8, #ARGV, 3 do
    local count = redis.call('hlen', KEYS[2]) - redis.call('hexists', KEYS[2], overflow)
    if redis.call('hexists', KEYS[2], ARGV[i]) == 1 or count < tonumber(ARGV[3]) then
      known(ARGV[i], ARGV[i + 1], ARGV[i + 2])
      found[#found + 1] = 1
    else
      known(overflow, ARGV[7], ARGV[i + 2])
      found[#found + 1] = 0
    end
  end
end
for i = 1, 4 do redis.call('expireat', KEYS[i], ARGV[5]) end
return found
"""

# A batch of one process, once: what it adds is applied in the step that writes down its number.
# KEYS: the registry, then a page for each group of fields, two for each of distinct values.
# ARGV: process, number of the batch, number expected before it (-1 unknown), when it was made, now, end of life, most
# fields, most exact values; then counted lists: series (id, first, last), gauges (id, time, writer, value), pages (end,
# kind, fields and amounts or hashes).
ADD = """
local last = tonumber(redis.call('hget', KEYS[5], ARGV[1]) or '0')
if tonumber(ARGV[2]) <= last then return 'seen' end
local at = 9
local function following() at = at + 1; return ARGV[at - 1] end
local many = tonumber(following())
for i = 0, many - 1 do
  if redis.call('hexists', KEYS[2], ARGV[at + 3 * i]) == 0 then return 'unknown' end
end
if ARGV[3] ~= '-1' and last ~= tonumber(ARGV[3]) then redis.call('hset', KEYS[1], 'lost', ARGV[5]) end
redis.call('hset', KEYS[5], ARGV[1], ARGV[2])
for _ = 1, many do
  local id = following()
  redis.call('zadd', KEYS[3], 'LT', following(), id)
  redis.call('zadd', KEYS[4], 'GT', following(), id)
end
for _ = 1, tonumber(following()) do
  local id, time, writer, value = following(), following(), following(), following()
  local held = redis.call('hget', KEYS[6], id)
  local wins = true
  if held then
    local t, w, v = string.match(held, '^(%S+) (%S*) (%S+)$')
    if tonumber(time) ~= tonumber(t) then wins = tonumber(time) > tonumber(t)
    elseif writer ~= w then wins = writer > w
    else wins = tonumber(value) > tonumber(v) end
  end
  if wins then redis.call('hset', KEYS[6], id, time .. ' ' .. writer .. ' ' .. value) end
end

local function collapse(key)
  local most = tonumber(ARGV[7])
  if redis.call('hlen', key) <= most then return end
  local places = {}
  for _, field in ipairs(redis.call('hkeys', key)) do
    local sign, bucket = string.match(field, '|([pm])(%-?%d+)$')
    if sign == 'p' then places[#places + 1] = {1000000 + bucket, field} end
    if sign == 'm' then places[#places + 1] = {-1000000 - bucket, field} end
  end
  table.sort(places, function(a, b) return a[1] < b[1] end)
  for i = 1, #places - most do
    redis.call('hincrby', key, places[#places - most + 1][2], redis.call('hget', key, places[i][2]))
    redis.call('hdel', key, places[i][2])
  end
end
local function register(hash)
  local a, b, c, d, e, f, g, h = string.byte(hash, 1, 8)
  local rest = (b % 4) * 2^48 + c * 2^40 + d * 2^32 + e * 2^24 + f * 65536 + g * 256 + h
  local _, bits = math.frexp(rest)
  return a * 64 + math.floor(b / 4), 51 - bits
end
local function sketch(key, registers)
  local ranks = {}
  for i = 1, 16384 do ranks[i] = 0 end
  for _, hash in ipairs(redis.call('smembers', key)) do
    local place, rank = register(hash)
    if rank > ranks[place + 1] then ranks[place + 1] = rank end
  end
  for i = 1, 16384 do ranks[i] = string.char(ranks[i]) end
  redis.call('set', registers, table.concat(ranks))
  redis.call('unlink', key)
end

local made, page = tonumber(ARGV[4]), 7
for _ = 1, tonumber(following()) do
  local key, ending, kind, entries = KEYS[page], following(), following(), tonumber(following())
  if kind == 'distinct' then
    local registers = KEYS[page + 1]
    page = page + 2
    local rough = redis.call('exists', registers) == 1
    for _ = 1, entries do
      local hash = following()
      if rough then
        local place, rank = register(hash)
        if string.byte(redis.call('getrange', registers, place, place)) < rank then
          redis.call('setrange', registers, place, string.char(rank))
        end
      else
        redis.call('sadd', key, hash)
      end
    end
    if not rough and redis.call('scard', key) > tonumber(ARGV[8]) then sketch(key, registers) end
    redis.call('expireat', key, ending)
    redis.call('expireat', registers, ending)
  else
    page = page + 1
    local overwritten = tonumber(redis.call('hget', key, 'x') or '-1') >= made
    for _ = 1, entries do
      local field, amount = following(), following()
      local is_in = false
      if overwritten then
        local marked = redis.call('hget', key, string.match(field, '^%d+') .. '|x')
        is_in = marked and tonumber(marked) >= made
      end
      if not is_in then redis.call('hincrby', key, field, amount) end
    end
    if kind == 'histogram' then collapse(key) end
    redis.call('expireat', key, ending)
  end
end
for i = 1, 6 do redis.call('expireat', KEYS[i], ARGV[6]) end
return 'added'
"""

# KEYS: page, its registers, the slot's series, first, last. ARGV: series id, kind, end of life, bucket in the page,
# counted at, registers or '', when the bucket begins, then fields and amounts or hashes.
OVERWRITE = """
if redis.call('hexists', KEYS[3], ARGV[1]) == 0 then return 0 end
if ARGV[6] ~= '' or #ARGV > 7 then
  redis.call('zadd', KEYS[4], 'LT', ARGV[7], ARGV[1])
  redis.call('zadd', KEYS[5], 'GT', ARGV[7], ARGV[1])
end
if ARGV[2] == 'distinct' then
  redis.call('unlink', KEYS[1], KEYS[2])
  if ARGV[6] ~= '' then redis.call('set', KEYS[2], ARGV[6]) end
  for i = 8, #ARGV do redis.call('sadd', KEYS[1], ARGV[i]) end
  redis.call('expireat', KEYS[2], ARGV[3])
else
  local prefix = ARGV[4] .. '|'
  for _, field in ipairs(redis.call('hkeys', KEYS[1])) do
    if string.sub(field, 1, #prefix) == prefix then redis.call('hdel', KEYS[1], field) end
  end
  for i = 8, #ARGV, 2 do redis.call('hset', KEYS[1], prefix .. ARGV[i], ARGV[i + 1]) end
  redis.call('hset', KEYS[1], prefix .. 'x', ARGV[5])
  if tonumber(redis.call('hget', KEYS[1], 'x') or '-1') < tonumber(ARGV[5]) then
    redis.call('hset', KEYS[1], 'x', ARGV[5])
  end
end
redis.call('expireat', KEYS[1], ARGV[3])
return 1
"""

# KEYS: the registry, then pages that go as well. ARGV: microseconds before which a series is forgotten, or '', then
# ids. Returns how many series went, and how many are left.
FORGET = """
local ids = {}
for i = 2, #ARGV do ids[#ids + 1] = ARGV[i] end
if ARGV[1] ~= '' then
  ids = redis.call('zrangebyscore', KEYS[4], '-inf', '(' .. ARGV[1])
  -- numbers of batches are about their time; a day later no process relies on this one
  local writers = redis.call('hgetall', KEYS[5])
  for i = 1, #writers, 2 do
    if tonumber(writers[i + 1]) < tonumber(ARGV[1]) - 86400 * 1000000 then redis.call('hdel', KEYS[5], writers[i]) end
  end
end
local gone = 0
for _, id in ipairs(ids) do
  gone = gone + redis.call('hdel', KEYS[2], id)
  redis.call('zrem', KEYS[3], id)
  redis.call('zrem', KEYS[4], id)
  redis.call('hdel', KEYS[6], id)
end
for i = 7, #KEYS do redis.call('unlink', KEYS[i]) end
local left = redis.call('hlen', KEYS[2])
if left == 0 then redis.call('del', KEYS[1]) end
return {gone, left}
"""

# KEYS: series, first, last. ARGV: pairs of a label and its value, as JSON. Returns id, labels, first, last of each
# series that has them all.
LINES = """
local found = {}
local series = redis.call('hgetall', KEYS[1])
for i = 1, #series, 2 do
  local is_meant = true
  for _, pair in ipairs(ARGV) do
    if not string.find(series[i + 1], pair, 1, true) then is_meant = false break end
  end
  if is_meant then
    found[#found + 1] = series[i]
    found[#found + 1] = series[i + 1]
    found[#found + 1] = redis.call('zscore', KEYS[2], series[i]) or '0'
    found[#found + 1] = redis.call('zscore', KEYS[3], series[i]) or '0'
  end
end
return found
"""
