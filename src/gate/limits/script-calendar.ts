/**
 * The calendar of messages a minute, in Lua. Each lane is one:
 * - `use`: attempts, by the instant from which they leave the window. While one runs, that is the end of its lease, so that
 *   one whose worker died counts as sent then; when it ended as sent, the instant of its end. The provider counts a
 *   message somewhere between start and end, so a window that begins with ends and ends with a start holds at least
 *   what the provider's own window does.
 * - `order`: those who wait, by their number in line; `slots` has the instant at which each can go as far as it is known,
 *   `due` the instant at which each comes back. One who comes much too late loses its place, but not its number.
 * - `started`: starts, where a burst spreads them.
 */
export const CALENDAR = `
local WINDOW = 60000
local LATE = 10000
local KEPT = 345600000

local function use(lane) return KEYS[7 + lane] end
local function order(lane) return KEYS[10 + lane] end
local function due(lane) return KEYS[13 + lane] end
local function started(lane) return KEYS[16 + lane] end

-- What each lane has of a limit. One too small to be divided is one lane.
local function divide(limit)
  local otp, transactional = tonumber(ARGV[3]), tonumber(ARGV[4])
  if limit <= 2 then return {0, 0, limit} end
  local a = otp > 0 and math.max(1, math.floor(limit * otp / 100)) or 0
  local b = transactional > 0 and math.max(1, math.floor(limit * transactional / 100)) or 0
  -- One is left for all.
  local most = limit - 1
  if a + b > most then
    if b == 0 then
      a = most
    elseif a == 0 then
      b = most
    else
      a = math.max(1, math.floor(a * most / (a + b)))
      b = most - a
    end
  end
  return {a, b, limit - a - b}
end

local function unbook(lane, id)
  redis.call('ZREM', order(lane), id)
  redis.call('ZREM', due(lane), id)
end

-- Takes out what left the window, and those who did not come back. Returns how many attempts the lane holds.
local function tidy(lane, now)
  redis.call('ZREMRANGEBYSCORE', use(lane), '-inf', now - WINDOW)
  local late = redis.call('ZRANGEBYSCORE', due(lane), '-inf', now - LATE, 'LIMIT', 0, 50)
  for _, id in ipairs(late) do
    redis.call('ZADD', LAPSED, redis.call('ZSCORE', order(lane), id), id)
    redis.call('HDEL', SLOTS, id)
    unbook(lane, id)
  end
  if #late > 0 then
    redis.call('ZREMRANGEBYRANK', LAPSED, 0, -10001)
    redis.call('PEXPIRE', LAPSED, KEPT)
  end
  return redis.call('ZCARD', use(lane))
end

-- How many stand in line before this one, its number where it has one, and whether it stands in this lane.
local function place(lane, id, lapsed)
  local number = redis.call('ZSCORE', order(lane), id)
  if number then return redis.call('ZRANK', order(lane), id), number, true end
  if lapsed then return redis.call('ZCOUNT', order(lane), '-inf', '(' .. lapsed), lapsed, false end
  return redis.call('ZCARD', order(lane)), nil, false
end

local function slotOf(lane, rank, now)
  local id = redis.call('ZRANGE', order(lane), rank, rank)[1]
  return math.max(now, tonumber(redis.call('HGET', SLOTS, id) or now))
end

-- When an attempt ended, or will, as far as can be told.
local function endOf(at, facts)
  if at <= facts.now + 1 then return at end
  return math.max(facts.now, at - facts.lease + facts.took)
end

-- The instant from which the k-th before this one counts: those in line first, then the latest attempts.
local function usedAt(lane, ahead, k, facts)
  if k <= ahead then return slotOf(lane, ahead - k, facts.now) + facts.took end
  local entry = redis.call('ZREVRANGE', use(lane), k - ahead - 1, k - ahead - 1, 'WITHSCORES')
  return endOf(tonumber(entry[2]), facts)
end

local function startedAt(lane, ahead, k, now)
  if k <= ahead then return slotOf(lane, ahead - k, now) end
  local entry = redis.call('ZREVRANGE', started(lane), k - ahead - 1, k - ahead - 1, 'WITHSCORES')
  return tonumber(entry[2])
end

-- When the first attempt of any lane leaves the window.
local function nextFree(facts)
  local free = math.huge
  for lane = 1, 3 do
    local at = tonumber(redis.call('ZRANGE', use(lane), 0, 0, 'WITHSCORES')[2] or nil)
    if at then free = math.min(free, endOf(at, facts) + WINDOW) end
  end
  return free
end

-- When one with so many ahead of it can go: nil for now.
local function slotIn(lane, facts)
  local now, ahead, share = facts.now, facts.ahead, facts.share
  local isFull = facts.used + ahead >= share
  local burst, spread, isTight = nil, nil, false
  if facts.burst then
    burst = math.max(1, math.floor(facts.burst * share / facts.limit))
    spread = math.ceil(WINDOW * burst / share)
    redis.call('ZREMRANGEBYSCORE', started(lane), '-inf', now - spread)
    isTight = redis.call('ZCARD', started(lane)) + ahead >= burst
  end
  -- After a change of the shares one lane may hold more than it has now, and the others must wait for it.
  local isOver = facts.total >= facts.limit and not isFull
  if not isFull and not isTight and not isOver then return nil end
  local slot = math.max(now + 1, isOver and nextFree(facts) or 0)
  if ahead > 0 then slot = math.max(slot, slotOf(lane, ahead - 1, now)) end
  if isFull then slot = math.max(slot, usedAt(lane, ahead, share, facts) + WINDOW) end
  if isTight then slot = math.max(slot, startedAt(lane, ahead, burst, now) + spread) end
  return math.ceil(slot)
end

-- Of the lanes open to this rank the one with the earliest slot, the most urgent one where several are free; and what all
-- of them have of the limit. \`inLine\`, of a lane: how many are ahead, the number in line, whether it stands there.
local function earliest(rank, limit, now, inLine)
  local shares = divide(limit)
  local used = {tidy(1, now), tidy(2, now), tidy(3, now)}
  local took = tonumber(redis.call('HGET', STATE, 'took') or 0)
  local best, open = nil, 0
  for lane = rank, 3 do
    if shares[lane] > 0 then
      open = open + shares[lane]
      if not best or best.slot then
        local ahead, number, here = inLine(lane)
        local slot = slotIn(lane, {now = now, ahead = ahead, share = shares[lane], used = used[lane], limit = limit,
          total = used[1] + used[2] + used[3], burst = tonumber(ARGV[5]), lease = tonumber(ARGV[10]), took = took})
        if not best or not slot or slot < best.slot then
          best = {lane = lane, slot = slot, number = number, here = here}
        end
      end
    end
  end
  return best, open
end
`;
