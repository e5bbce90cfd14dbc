/* ---
description: Our people, with the department they work in now.
key: staff_id
keep_deleted: true
checks:
  - unique: [staff_id]
  - not_null: [staff_id, first_name, last_name, department_name, location, email_address]
--- */
SELECT
  s.staff_id,
  s.first_name,
  s.last_name,
  d.department_name,
  coalesce(d.location, 'Unknown') AS location,     -- checks/department_has_location.sql warns
  s.email_address
FROM totesys.staff s
JOIN totesys.department d USING (department_id)
