-- Brings a subscription's count of bytes up to what is in its queue.
-- KEYS[1]: the node's registration (token, since, bytes)
-- KEYS[2]: the subscription's queue
-- ARGV: token, bytes that were popped, or '' to count what is there
local owner = redis.call('HMGET', KEYS[1], 'token', 'bytes')
if owner[1] ~= ARGV[1] then
  return
end
local bytes = 0
if ARGV[2] == '' then
  for _, batch in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    bytes = bytes + #batch
  end
else
  -- There is less than was popped where everything was deleted in between.
  bytes = math.max(owner[2] - ARGV[2], 0)
end
-- A Redis without memory refuses even this; what is popped together with it must not be lost for that.
redis.pcall('HSET', KEYS[1], 'bytes', string.format('%.0f', bytes))
