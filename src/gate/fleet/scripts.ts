import { STORE_TIME } from "../../redis/lua.ts";

/**
 * The scripts of the fleet. Each is one atomic step; all keys carry one hash tag. All instants in Redis are Redis's own
 * time, since the clocks of workers differ. KEYS of each: workers, statuses, then state and votes of each provider.
 *
 * A state is a hash with these fields. Its version grows with every move, and never starts anew where Redis lost one: it
 * is Redis's time or above. `probeToken` and `probeUntilAt` are the lease of the one that probes. `openings` and
 * `openedForMs` are what the next open time grows from.
 */
const COMMON = `${STORE_TIME}
local now = tonumber(ARGV[1]) or storeTime()
local function read(key)
  local state = { kind = 'closed', version = 0, reason = '', remedy = '', untilAt = 0, startedAt = 0, rampVersion = 0,
    closedAt = 0, openings = 0, openedForMs = 0, probeToken = '', probeUntilAt = 0,
    pauseCause = '', pauseReason = '', pauseBy = '', pauseUntilAt = 0 }
  local saved = redis.call('HGETALL', key)
  for i = 1, #saved, 2 do
    local name = saved[i]
    state[name] = type(state[name]) == 'number' and tonumber(saved[i + 1]) or saved[i + 1]
  end
  return state
end
local function save(key, state, keptMs)
  local fields = {}
  for name, value in pairs(state) do
    fields[#fields + 1] = name
    fields[#fields + 1] = type(value) == 'number' and string.format('%.0f', value) or value
  end
  redis.call('HSET', key, unpack(fields))
  redis.call('PEXPIRE', key, keptMs)
end
`;

/**
 * One beat of a worker: it lives, this is its news, what is there for it? ARGV: now ('' for Redis's time), worker, its
 * status, the rules (JSON, see `Rules`), then for each provider its news (JSON, see `SeatNews`). Moves what is to be
 * moved, and tells all on the channel where anything was. Returns JSON, see `BeatAnswer`.
 */
export const BEAT = `${COMMON}
local me, rules = ARGV[2], cjson.decode(ARGV[4])

for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - rules.goneAfterMs)) do
  redis.call('ZREM', KEYS[1], worker)
  redis.call('HDEL', KEYS[2], worker)
end
local isAlone = redis.call('ZCARD', KEYS[1]) == 0
redis.call('ZADD', KEYS[1], string.format('%.0f', now), me)
redis.call('HSET', KEYS[2], me, ARGV[3])
-- Beats and votes are of no use once the last worker is gone; what it had found out about the providers is.
local staleMs = rules.goneAfterMs * 12
redis.call('PEXPIRE', KEYS[1], staleMs)
redis.call('PEXPIRE', KEYS[2], staleMs)
local workers = redis.call('ZCARD', KEYS[1])
local quorum = rules.quorum
if quorum == 0 then quorum = workers < 3 and 1 or 2 end

local function move(state, kind)
  state.kind = kind
  state.version = math.max(state.version + 1, now)
end

-- An opening on the way back, or soon after it, is the same trouble: the time grows. A good spell starts it anew.
local function open(state, reason, remedy, atLeastMs, random)
  local again = state.kind ~= 'closed' or now - state.closedAt < state.openedForMs + rules.windowMs
  state.openings = again and state.openings + 1 or 1
  local grown = math.min(rules.openMaxMs, rules.openMs * rules.openGrowth ^ (state.openings - 1))
  local jitter = 1 + (random * 2 - 1) * rules.jitterPercent / 100
  state.openedForMs = math.floor(math.max(grown * jitter, atLeastMs) + 0.5)
  state.untilAt, state.reason, state.remedy = now + state.openedForMs, reason, remedy
  move(state, 'open')
end

-- What the one that holds the lease found out. Anybody else's finding is of an earlier time.
local function probed(state, found, random)
  if found.token ~= state.probeToken then return end
  state.probeToken = ''
  if state.kind ~= 'open' then return end
  if not found.ok then
    open(state, 'probe failed: ' .. found.reason, found.remedy, found.atLeastMs, random)
    return
  end
  move(state, 'ramp')
  state.startedAt, state.rampVersion = now, state.version
end

-- One that was told before keeps its time. Whether it is a new one.
local function cast(votesKey, vote, version)
  if not vote then
    redis.call('HDEL', votesKey, me)
    return false
  end
  vote.castAt, vote.version = now, version
  local earlier = redis.call('HGET', votesKey, me)
  if earlier then earlier = cjson.decode(earlier) end
  local isNew = not earlier or earlier.id ~= vote.id
  if not isNew then vote.castAt = earlier.castAt end
  redis.call('HSET', votesKey, me, cjson.encode(vote))
  redis.call('PEXPIRE', votesKey, staleMs)
  return isNew
end

-- Of workers that live. A vote of one that had not heard of the latest ramp is about the time before it.
local function count(state, votesKey)
  local votes, latest, remedy, atLeastMs, leastUntilAt = 0, nil, '', 0, 0
  local all = redis.call('HGETALL', votesKey)
  for i = 1, #all, 2 do
    local vote = cjson.decode(all[i + 1])
    if vote.version < state.rampVersion or not redis.call('ZSCORE', KEYS[1], all[i]) then
      redis.call('HDEL', votesKey, all[i])
    else
      votes = votes + 1
      if latest == nil or vote.castAt > latest.castAt then latest = vote end
      if vote.remedy ~= '' then remedy = vote.remedy end
      atLeastMs = math.max(atLeastMs, vote.atLeastMs)
      leastUntilAt = math.max(leastUntilAt, vote.castAt + vote.atLeastMs)
    end
  end
  return { votes = votes, latest = latest, remedy = remedy, atLeastMs = atLeastMs, leastUntilAt = leastUntilAt }
end

local function decide(state, found, random)
  if state.kind == 'open' then
    -- One that came later may know of something that no probe can see.
    if found.leastUntilAt > state.untilAt then
      state.untilAt = found.leastUntilAt
      move(state, 'open')
    end
  elseif found.votes > 0 and found.votes >= quorum then
    local reason = found.latest.reason
    if workers > 1 then reason = found.votes .. ' of ' .. workers .. ' workers: ' .. reason end
    local remedy = found.latest.remedy ~= '' and found.latest.remedy or found.remedy
    open(state, reason, remedy, found.atLeastMs, random)
  end
end

local seats, isNew = {}, false
for i = 5, #ARGV do
  local stateKey, votesKey = KEYS[2 * i - 7], KEYS[2 * i - 6]
  local news, state = cjson.decode(ARGV[i]), read(stateKey)
  local version, isTouched = state.version, false
  -- Nobody was there to look meanwhile; and gateways are often started anew because something was mended.
  if isAlone and state.kind == 'open' and state.untilAt > now then
    state.untilAt = now
    move(state, 'open')
  end
  if news.probed then
    probed(state, news.probed, news.random)
    isTouched = true
  end
  if state.kind == 'ramp' and now - state.startedAt >= rules.rampMs then
    state.closedAt = now
    move(state, 'closed')
  end
  -- While it is open, hundreds of workers may vote each second, and only a new vote can change anything.
  if cast(votesKey, news.vote, news.version) or state.kind ~= 'open' then
    decide(state, count(state, votesKey), news.random)
  end
  if news.pause and now + news.pause.forMs > state.pauseUntilAt then
    state.pauseCause, state.pauseReason, state.pauseBy = news.pause.cause, news.pause.reason, me
    state.pauseUntilAt = now + news.pause.forMs
    isTouched, isNew = true, true
  end
  local token
  if state.kind == 'open' and state.untilAt <= now and not news.isBusy
    and (state.probeToken == '' or state.probeUntilAt <= now) then
    token = me .. ' ' .. string.format('%.0f', now)
    state.probeToken, state.probeUntilAt, isTouched = token, now + rules.leaseMs, true
  end
  if state.version ~= version then isTouched, isNew = true, true end
  if isTouched then save(stateKey, state, rules.keptMs) end
  seats[#seats + 1] = { state = state, token = token }
end
-- A user of Redis may lack the right to it; then the others hear of it with their next beat.
if isNew then redis.pcall('PUBLISH', rules.channel, me) end
return cjson.encode({ now = now, seats = seats })
`;

/** A worker goes. ARGV: '', worker. Takes back its votes, and the leases of what it was probing. */
export const LEAVE = `
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[2])
local mine = ARGV[2] .. ' '
for i = 3, #KEYS, 2 do
  redis.call('HDEL', KEYS[i + 1], ARGV[2])
  local token = redis.call('HGET', KEYS[i], 'probeToken')
  if token and string.sub(token, 1, #mine) == mine then redis.call('HSET', KEYS[i], 'probeToken', '') end
end
`;

/** Reads all, and changes nothing. ARGV: now, then the same as `goneAfterMs`. Returns JSON, see `FleetPicture`. */
export const LOOK = `${COMMON}
local workers, live, seats = {}, {}, {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now - ARGV[2]), '+inf')) do
  live[name] = true
  workers[#workers + 1] = { name = name, status = redis.call('HGET', KEYS[2], name) or '' }
end
for i = 3, #KEYS, 2 do
  local state, votes = read(KEYS[i]), {}
  local all = redis.call('HGETALL', KEYS[i + 1])
  for j = 1, #all, 2 do
    local vote = cjson.decode(all[j + 1])
    if live[all[j]] and vote.version >= state.rampVersion then
      votes[#votes + 1] = { worker = all[j], reason = vote.reason, remedy = vote.remedy, castAt = vote.castAt }
    end
  end
  seats[#seats + 1] = { state = state, votes = votes }
end
return cjson.encode({ now = now, workers = workers, seats = seats })
`;
