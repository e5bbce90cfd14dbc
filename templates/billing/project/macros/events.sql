-- Resources of a kind (plan, addon, coupon) that were deleted, and when. Their lists just forget them.
CREATE MACRO deleted_by_event(kind) AS TABLE
  SELECT site, content ->> ('$.' || kind || '.id') AS id, max(occurred_at) AS deleted_at
  FROM billing.events
  WHERE event_type = kind || '_deleted'
  GROUP BY ALL;
