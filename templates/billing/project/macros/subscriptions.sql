-- Subscriptions that were deleted in any version stamped before a moment, also those that came back.
CREATE MACRO deleted_subscriptions(before) AS TABLE
  SELECT DISTINCT site, id
  FROM billing.subscriptions__history
  WHERE _leat_op = 'd' AND updated_at < before;

-- Whether a subscription in this state brings money.
CREATE MACRO is_running(status) AS status IN ('active', 'non_renewing');
