/* ---
description: Every department has a location. Staff of one without it are shown in "Unknown".
severity: warn
--- */
SELECT department_id, department_name
FROM totesys.department
WHERE location IS NULL
