-- Health of SealedSecrets and SealingKeys. It says Healthy only of what the
-- controller has seen as it is now: a sync wave that follows may rely on it.
local hs = { status = "Progressing", message = "Waiting for the controller" }

if obj.metadata.deletionTimestamp ~= nil then
  hs.message = "Being deleted"
  return hs
end

-- A new object has observedGeneration -1.
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return hs
end

local ready
for _, condition in ipairs(obj.status.conditions or {}) do
  if condition.type == "Ready" then
    ready = condition
  end
end

-- What is said about an older generation counts for nothing.
if ready == nil or (ready.observedGeneration ~= nil and ready.observedGeneration ~= obj.metadata.generation) then
  return hs
end

hs.message = ready.reason .. ": " .. (ready.message or "")
if ready.reason == "Suspended" then
  hs.status = "Suspended"
elseif ready.status == "True" then
  hs.status = "Healthy"
elseif ready.status == "False" then
  hs.status = "Degraded"
end
return hs
