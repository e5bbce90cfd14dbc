/* ---
description: What we print on tote bags, and where its file lies now.
key: design_id
keep_deleted: true
checks:
  - unique: [design_id]
  - not_null: [design_id, design_name, file_location, file_name]
--- */
SELECT design_id, design_name, file_location, file_name
FROM totesys.design
