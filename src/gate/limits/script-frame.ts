import { STORE_TIME } from "../../redis/lua.ts";

/**
 * What all scripts of a provider's limits begin with. KEYS are those of keysOf(), ARGV begins with the frame of
 * script-arguments.ts; a script's own arguments come after it, as arg(1), arg(2), ...
 *
 * `state` is a hash: `pace` and `paceAt` (how far the limit is lowered, and since when), `learned` (a limit that nobody
 * set), `took` (how long after its slot an attempt ends, mostly), `number` (of the last in line), `minute`, `this`, `last`
 * (attempts in this minute and the last one), `wantedAt` (a connection was asked for in vain).
 * `counts`: messages and recipients by day and month, `d2025-11-24:m`, `:r`. `quarters`: the same by quarter hours since
 * 1970, `m1959777`, with `total` recipients of those that are not a day old, and `from`, the first of them.
 */
export const FRAME = `${STORE_TIME}
local STATE, COUNTS, QUARTERS, CONNECTIONS, ASKING, SLOTS, LAPSED =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local QUARTER = 900000
local DAY = 86400000

local function arg(n) return ARGV[25 + n] end

-- Redis's own clock, which all workers share, in milliseconds.
local function instant()
  return tonumber(ARGV[1]) or storeTime()
end

-- The messages a minute that hold now, nil for none; the pace; and whether it has just become a full one again.
local function limitNow(now)
  local s = redis.call('HMGET', STATE, 'pace', 'paceAt', 'learned')
  local pace, recovered = 1, false
  if s[1] then
    pace = tonumber(s[1]) + tonumber(ARGV[12]) * math.floor((now - tonumber(s[2])) / 60000)
    recovered = pace > 0.999
    if recovered then pace = 1 end
  end
  local base = tonumber(ARGV[2]) or (not recovered and tonumber(s[3])) or nil
  return base and math.max(1, math.floor(base * pace + 0.001)), pace, recovered
end

-- The provider's day (first = 13) or month (first = 19) that holds an instant, and its end.
local function period(first, t)
  for i = first, first + 2, 2 do
    if t < tonumber(ARGV[i + 1]) then return ARGV[i], tonumber(ARGV[i + 1]) end
  end
  return ARGV[first + 4], tonumber(ARGV[first + 5])
end

local function forgetOld()
  for _, field in ipairs(redis.call('HKEYS', COUNTS)) do
    local label = string.match(field, '^.(.*):')
    if label < string.sub(ARGV[25], 1, #label) then redis.call('HDEL', COUNTS, field) end
  end
  redis.call('PEXPIRE', COUNTS, 41 * DAY)
end

local function count(t, messages, recipients)
  local isNew = false
  for prefix, first in pairs({d = 13, m = 19}) do
    local label = prefix .. period(first, t)
    if redis.call('HINCRBY', COUNTS, label .. ':m', messages) == messages then isNew = true end
    redis.call('HINCRBY', COUNTS, label .. ':r', recipients)
  end
  if isNew then forgetOld() end
end

-- Takes out the quarters that are a day old. One counts until a day after its end.
local function tidyQuarters(now)
  local first = math.floor(now / QUARTER) - 96
  local from = tonumber(redis.call('HGET', QUARTERS, 'from'))
  if from and first - from > 200 then
    redis.call('DEL', QUARTERS)
    from = nil
  end
  if from == first then return first end
  for quarter = from or first, first - 1 do
    local recipients = redis.call('HGET', QUARTERS, 'r' .. quarter)
    if recipients then redis.call('HINCRBY', QUARTERS, 'total', -recipients) end
    redis.call('HDEL', QUARTERS, 'm' .. quarter, 'r' .. quarter)
  end
  redis.call('HSET', QUARTERS, 'from', first)
  return first
end

local function fill(t, first, messages, recipients)
  local quarter = math.floor(t / QUARTER)
  if quarter < first then return end
  redis.call('HINCRBY', QUARTERS, 'm' .. quarter, messages)
  redis.call('HINCRBY', QUARTERS, 'r' .. quarter, recipients)
  redis.call('HINCRBY', QUARTERS, 'total', recipients)
  redis.call('PEXPIRE', QUARTERS, 2 * DAY)
end

-- Attempts in the last minute, roughly: what a limit is learned from.
local function recentAttempts(now)
  local s = redis.call('HMGET', STATE, 'minute', 'this', 'last')
  local minute, at = math.floor(now / 60000), tonumber(s[1])
  local this, last = 0, 0
  if at == minute then this, last = tonumber(s[2]), tonumber(s[3]) end
  if at == minute - 1 then last = tonumber(s[2]) end
  return this, last, math.floor(this + last * (1 - (now % 60000) / 60000))
end

local function noteAttempts(now, n)
  local this, last = recentAttempts(now)
  redis.call('HSET', STATE, 'minute', math.floor(now / 60000), 'this', this + n, 'last', last)
  redis.call('PEXPIRE', STATE, 7 * DAY)
end
`;
