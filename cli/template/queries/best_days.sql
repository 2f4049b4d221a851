-- The ten days with the most revenue.
SELECT
  r.day,
  r.orders,
  r.revenue
FROM daily_revenue r
ORDER BY r.revenue DESC, r.day
LIMIT 10
