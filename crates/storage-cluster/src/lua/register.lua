-- Makes a subscription the one of its node, or renews its lease.
-- KEYS[1]: the node's registration (token, since, bytes)
-- KEYS[2]: the subscription's queue
-- ARGV: token, since ('' the first time), lease in milliseconds, prefix of the keys of end markers
-- Returns since, when the subscription began; or nothing where a newer one has taken its place.
local token, lease = ARGV[1], ARGV[3]
local owner = redis.call('HMGET', KEYS[1], 'token', 'since')
if owner[1] == token then
  redis.call('PEXPIRE', KEYS[1], lease)
  redis.call('PEXPIRE', KEYS[2], lease)
  return owner[2]
end
local since = tonumber(ARGV[2])
local of_owner = tonumber(owner[2] or 0)
if not since then
  -- The clock of Redis may have gone back; whoever comes later is still the newer one.
  local time = redis.call('TIME')
  since = math.max(time[1] * 1000000 + time[2], of_owner + 1)
elseif of_owner > since then
  return false
end
if owner[1] then
  redis.call('RPUSH', ARGV[4] .. owner[1], '')
  redis.call('PEXPIRE', ARGV[4] .. owner[1], lease)
end
since = string.format('%.0f', since)
redis.call('HSET', KEYS[1], 'token', token, 'since', since, 'bytes', 0)
redis.call('PEXPIRE', KEYS[1], lease)
redis.call('PEXPIRE', KEYS[2], lease)
return since
