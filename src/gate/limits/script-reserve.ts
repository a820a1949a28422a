import { CALENDAR } from "./script-calendar.ts";
import { FRAME } from "./script-frame.ts";

/**
 * Asks for one message. arg: id, token, rank (1 otp, 2 transactional, 3 bulk), recipients, how near a slot must be to be
 * booked ('' however far), the connection's name ('' where they have no limit), a random number.
 * Returns {1, ms since its slot, limit or 0, recovered} or {0, cause, ms to wait, booked, limit, what is open to it,
 * recovered}.
 */
export const RESERVE = `${FRAME}${CALENDAR}
local now = instant()
local id, token, rank, recipients = arg(1), arg(2), tonumber(arg(3)), tonumber(arg(4))
local lease = tonumber(ARGV[10])
local limit, pace, recovered = limitNow(now)
if recovered then redis.call('HDEL', STATE, 'pace', 'paceAt', 'learned') end

local function later(cause, at, booked, all, open)
  return {0, cause, math.max(1, math.ceil(at - now)), booked and 1 or 0, all or 0, open or 0, recovered and 1 or 0}
end

local function forget()
  if redis.call('HDEL', SLOTS, id) == 0 then return end
  for lane = 1, 3 do unbook(lane, id) end
end

for lane = 1, 3 do
  if redis.call('ZSCORE', use(lane), token) then return {1, 0, limit or 0, 0} end
end

-- Of a quota: all but what is kept for those more urgent.
local function openOf(quota)
  local kept = (rank > 1 and ARGV[3] or 0) + (rank > 2 and ARGV[4] or 0)
  return math.max(1, quota - math.floor(quota * math.min(kept, 100) / 100))
end

-- When so many recipients more fit into a day of any 24 hours.
local function whenTheyFit(used, open, first)
  if recipients > open then return now + DAY end
  for quarter = first, first + 200 do
    used = used - (redis.call('HGET', QUARTERS, 'r' .. quarter) or 0)
    if used + recipients <= open then return (quarter + 1) * QUARTER + DAY end
  end
  return now + DAY
end

local first = tidyQuarters(now)
if ARGV[6] ~= '' then
  local quota, label, resetsAt = tonumber(ARGV[6]), period(13, now)
  local open = openOf(quota)
  local used = ARGV[8] == '1' and redis.call('HGET', QUARTERS, 'total') or redis.call('HGET', COUNTS, 'd' .. label .. ':r')
  used = tonumber(used or 0)
  if used + recipients > open then
    forget()
    return later('recipients', ARGV[8] == '1' and whenTheyFit(used, open, first) or resetsAt, false, quota, open)
  end
end
if ARGV[7] ~= '' then
  local quota, label, resetsAt = tonumber(ARGV[7]), period(19, now)
  local open = openOf(quota)
  local used = tonumber(redis.call('HGET', COUNTS, 'm' .. label .. ':m') or 0)
  if used + 1 > open then
    forget()
    return later('month', resetsAt, false, quota, open)
  end
end

local best = {lane = 3}
if limit then
  local open
  best, open = earliest(rank, limit, now, function(lane)
    -- Only now: it may have lapsed when the lanes were tidied.
    return place(lane, id, redis.call('ZSCORE', LAPSED, id))
  end)
  if best.slot then
    local waitMs = best.slot - now
    if arg(5) ~= '' and waitMs > tonumber(arg(5)) then
      forget()
      redis.call('ZREM', LAPSED, id)
      return later('rate', best.slot, false, limit, open)
    end
    if not best.here then
      forget()
      redis.call('ZADD', order(best.lane), best.number or redis.call('HINCRBY', STATE, 'number', 1), id)
      redis.call('ZREM', LAPSED, id)
    end
    -- While the pace is lowered, whose slot is far off looks again half-way: by then it may have recovered.
    local at = pace < 1 and waitMs > 2 * WINDOW and now + math.floor(waitMs / 2) or best.slot
    redis.call('HSET', SLOTS, id, best.slot)
    redis.call('ZADD', due(best.lane), at, id)
    local keep = math.max(KEPT, waitMs + DAY)
    for _, key in ipairs({order(best.lane), due(best.lane), SLOTS}) do redis.call('PEXPIRE', key, keep) end
    redis.call('PEXPIRE', STATE, keep + DAY)
    return later('rate', at, true, limit, open)
  end
else
  redis.call('ZREMRANGEBYSCORE', use(3), '-inf', now - WINDOW)
end

if ARGV[9] ~= '' then
  local connections = tonumber(ARGV[9])
  redis.call('ZREMRANGEBYSCORE', CONNECTIONS, '-inf', now)
  local held = redis.call('ZSCORE', CONNECTIONS, arg(6))
  if not held and redis.call('ZCARD', CONNECTIONS) >= connections then
    redis.call('HSET', STATE, 'wantedAt', now)
    redis.call('PEXPIRE', STATE, 7 * DAY)
    redis.call('ZREMRANGEBYSCORE', ASKING, '-inf', now - 1000)
    -- Together they ask about twenty times a second for each connection, however many they are; urgent ones more often.
    local waitMs = rank == 1 and 100 or math.min(30000, math.max(500, redis.call('ZCARD', ASKING) * 50 / connections))
    local at = math.ceil(now + waitMs * (1 + arg(7)))
    redis.call('ZADD', ASKING, at, id)
    redis.call('PEXPIRE', ASKING, 120000)
    if best.here then
      redis.call('HSET', SLOTS, id, at)
      redis.call('ZADD', due(best.lane), at, id)
    end
    return later('connections', at, best.here, connections, connections)
  end
  redis.call('ZADD', CONNECTIONS, now + ARGV[11], arg(6))
  redis.call('PEXPIRE', CONNECTIONS, ARGV[11])
  redis.call('ZREM', ASKING, id)
end

local lateMs = best.here and math.max(0, now - tonumber(redis.call('HGET', SLOTS, id) or now)) or 0
forget()
if limit then
  redis.call('ZREM', LAPSED, id)
  if ARGV[5] ~= '' then
    redis.call('ZADD', started(best.lane), now, token)
    redis.call('PEXPIRE', started(best.lane), DAY)
  end
end
redis.call('ZADD', use(best.lane), now + lease, token)
redis.call('PEXPIRE', use(best.lane), lease + 2 * WINDOW)
if ARGV[2] == '' then noteAttempts(now, 1) end
count(now, 1, recipients)
fill(now + lease, first, 1, recipients)
return {1, lateMs, limit or 0, recovered and 1 or 0}
`;
