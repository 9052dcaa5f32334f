// The atomic steps of the store, run inside Redis. Keys of one script share a slot. A write that carries a write id can be sent
// again when its answer was lost: it sees that it was done, and touches the row so that WAIT speaks of the connection at hand.

import { createHash } from 'node:crypto'

export interface RedisScript {
  readonly source: string
  readonly sha: string
}

const LIVE = `
local function live(row, now)
  local was = redis.call('HMGET', row, 'reason', 'idleExpiresAt', 'expiresAt')
  return not was[1] and was[3] and tonumber(was[2]) > tonumber(now) and tonumber(was[3]) > tonumber(now)
end`

/** Sets field, value, field, value … from an argument on. */
const PUT = `
local function put(row, first)
  for i = first, #ARGV, 2 do redis.call('HSET', row, ARGV[i], ARGV[i + 1]) end
end`

/** Erases what the row held. */
const BURY = `
local function bury(row, reason, now, write)
  for _, field in ipairs(redis.call('HKEYS', row)) do
    if field == 'device' or field == 'ip' or field:sub(1, 2) == 'f:' then redis.call('HDEL', row, field) end
  end
  redis.call('HSET', row, 'reason', reason, 'endedAt', now, 'write', write)
  redis.call('HINCRBY', row, 'version', 1)
end`

/** Row; write id, time to live, fields … → 1, or 0 where the key is taken. */
export const CREATE = script(
  PUT,
  `
if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HGET', KEYS[1], 'write') ~= ARGV[1] then return 0 end
put(KEYS[1], 3)
redis.call('HSET', KEYS[1], 'write', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`,
)

/** Row; now, version or '', how many fields to remove, these, fields to set … → the new version, 0 for gone, -1 for conflict. */
export const UPDATE = script(
  LIVE,
  PUT,
  `
if not live(KEYS[1], ARGV[1]) then return 0 end
if ARGV[2] ~= '' and redis.call('HGET', KEYS[1], 'version') ~= ARGV[2] then return -1 end
local first = 4 + ARGV[3]
for i = 4, first - 1 do redis.call('HDEL', KEYS[1], ARGV[i]) end
put(KEYS[1], first)
return redis.call('HINCRBY', KEYS[1], 'version', 1)`,
)

/** Row; now, lastSeenAt, idleExpiresAt. */
export const TOUCH = script(
  LIVE,
  `
if not live(KEYS[1], ARGV[1]) then return 0 end
local was = redis.call('HMGET', KEYS[1], 'lastSeenAt', 'idleExpiresAt')
if tonumber(ARGV[2]) > tonumber(was[1]) then redis.call('HSET', KEYS[1], 'lastSeenAt', ARGV[2]) end
if tonumber(ARGV[3]) > tonumber(was[2]) then redis.call('HSET', KEYS[1], 'idleExpiresAt', ARGV[3]) end
return 1`,
)

/** Old row, new row; now, version or '', write id, time to live, fields … → 'replaced', 'gone', 'conflict' or 'taken'. */
export const REPLACE = script(
  LIVE,
  PUT,
  BURY,
  `
local was = redis.call('HMGET', KEYS[1], 'reason', 'write', 'version')
if was[1] and was[2] == ARGV[3] then
  redis.call('HSET', KEYS[1], 'write', ARGV[3])
  return 'replaced'
end
if not live(KEYS[1], ARGV[1]) then return 'gone' end
if ARGV[2] ~= '' and was[3] ~= ARGV[2] then return 'conflict' end
if redis.call('EXISTS', KEYS[2]) == 1 then return 'taken' end
put(KEYS[2], 5)
redis.call('HSET', KEYS[2], 'write', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
bury(KEYS[1], 'rotated', ARGV[1], ARGV[3])
return 'replaced'`,
)

/** Row; now, reason, write id, and the user whose it must be → whose session was ended; nil where none was, '' for nobody's. */
export const END = script(
  LIVE,
  BURY,
  `
local was = redis.call('HMGET', KEYS[1], 'reason', 'write', 'userId')
if ARGV[4] and was[3] ~= ARGV[4] then return nil end
if was[1] and was[2] == ARGV[3] then
  redis.call('HSET', KEYS[1], 'write', ARGV[3])
  return was[3] or ''
end
if not live(KEYS[1], ARGV[1]) then return nil end
bury(KEYS[1], ARGV[2], ARGV[1], ARGV[3])
return was[3] or ''`,
)

/** Row; now → 1 where it was deleted, 0 where there is none, -1 where its time has not come. */
export const DELETE = script(`
local expiresAt = redis.call('HGET', KEYS[1], 'expiresAt')
if not expiresAt then return 0 end
if tonumber(expiresAt) > tonumber(ARGV[1]) then return -1 end
return redis.call('DEL', KEYS[1])`)

/** Set; deadline, member, time to live or ''. A set with a time to live is kept as long as any member needs it. */
export const INDEX = script(`
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
if ARGV[3] ~= '' and redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1`)

/** Set; deadline and member after which the page begins, and its size → member, deadline, member, deadline … */
export const PAGE = script(`
local first = 0
if ARGV[2] ~= '' then
  local rank = redis.call('ZRANK', KEYS[1], ARGV[2])
  first = rank and rank + 1 or redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[1])
end
return redis.call('ZRANGE', KEYS[1], first, first + ARGV[3] - 1, 'WITHSCORES')`)

/** Epoch of a user; user, epoch, time, time to live. Of two endings at once the later one stays. */
export const NOTE_EPOCH = script(`
local was = redis.call('HMGET', KEYS[1], 'epoch', 'notedAt')
local function larger(a, b) if a and tonumber(a) > tonumber(b) then return a end return b end
redis.call('HSET', KEYS[1], 'userId', ARGV[1], 'epoch', larger(was[1], ARGV[2]), 'notedAt', larger(was[2], ARGV[3]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`)

/** Epoch of the store; the least that it may be. */
export const RAISE_EPOCH = script(`
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 1`)

/**
 * Row; write id, time to live, fields … of a row as it is elsewhere → 1 where it was written: it is new, or an earlier state was there.
 * What has ended is never written over.
 */
export const IMPORT = script(
  PUT,
  `
local was = redis.call('HMGET', KEYS[1], 'reason', 'version', 'lastSeenAt', 'idleExpiresAt', 'write')
if was[5] and was[5] == ARGV[1] then return 1 end
if was[1] then return 0 end
local new = {}
for i = 3, #ARGV, 2 do new[ARGV[i]] = ARGV[i + 1] end
if was[2] and not new['reason'] then
  local function more(name, i) return tonumber(new[name]) > tonumber(was[i]) end
  local same = new['version'] == was[2]
  if not more('version', 2) and not (same and (more('lastSeenAt', 3) or more('idleExpiresAt', 4))) then return 0 end
end
redis.call('DEL', KEYS[1])
put(KEYS[1], 3)
redis.call('HSET', KEYS[1], 'write', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`,
)

/** Claim; now, until, write id, time to live → 1 for the one who has it. */
export const CLAIM = script(`
local was = redis.call('HMGET', KEYS[1], 'until', 'write')
if was[1] and was[2] ~= ARGV[3] and tonumber(was[1]) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'until', ARGV[2], 'write', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`)

/** Claim; until, write id, time to live. The longer one stays. */
export const IMPORT_CLAIM = script(`
local was = redis.call('HGET', KEYS[1], 'until')
if was and tonumber(was) >= tonumber(ARGV[1]) then return 1 end
redis.call('HSET', KEYS[1], 'until', ARGV[1], 'write', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

/** Counter; now, end of a window that begins now, weight, time to live → count and end of the window. */
export const HIT = script(`
local was = redis.call('HMGET', KEYS[1], 'count', 'resetAt')
if was[2] and tonumber(was[2]) > tonumber(ARGV[1]) then
  if ARGV[3] == '0' then return { was[1], was[2] } end
  return { tostring(redis.call('HINCRBY', KEYS[1], 'count', 1)), was[2] }
end
if ARGV[3] == '0' then return { '0', ARGV[2] } end
redis.call('HSET', KEYS[1], 'count', 1, 'resetAt', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return { '1', ARGV[2] }`)

/** Loaded on every new connection; one that Redis has lost since then is sent whole. */
export const SCRIPTS = [CREATE, UPDATE, TOUCH, REPLACE, END, DELETE, INDEX, PAGE, NOTE_EPOCH, CLAIM, HIT]

function script(...parts: readonly string[]): RedisScript {
  const source = parts.join('\n').trim()
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}
