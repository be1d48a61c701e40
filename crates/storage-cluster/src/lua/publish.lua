-- Puts batches into the queue of the node's subscription, in their order, as many as fit.
-- KEYS[1]: the node's registration (token, since, bytes)
-- ARGV: most batches, most bytes, lease in milliseconds, prefix of the keys of queues, batches ...
-- Returns how many were taken, the first ones; or -1 if nobody receives for the node.
local batches_max, bytes_max, lease, prefix = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local owner = redis.call('HMGET', KEYS[1], 'token', 'bytes')
if not owner[1] then
  return -1
end
local queue = prefix .. owner[1]
local length, room = redis.call('LLEN', queue), bytes_max - owner[2]
local last, bytes = 4, 0
while last < #ARGV and length + last - 4 < batches_max and bytes + #ARGV[last + 1] <= room do
  last = last + 1
  bytes = bytes + #ARGV[last]
end
if last > 4 then
  redis.call('HINCRBY', KEYS[1], 'bytes', bytes)
  redis.call('RPUSH', queue, unpack(ARGV, 5, last))
  -- A queue that is there is renewed by its receiver, with the lease.
  if length == 0 then
    redis.call('PEXPIRE', queue, lease)
  end
end
return last - 4
