#pragma once

namespace leat {

/// Name a moment at which a run may die: before or after a step that something durable hangs on.
///
/// Does nothing in `leat`. The program `leat-faults` is linked from the same libraries with
/// tests/faults/armed_fail_point.cc, which ends the process or throws there. A name is
/// `<folder>.<what>.<before|after>_<step>`, a literal, and stands at one place of src/ only;
/// tests/faults/fail_points.txt lists all of them.
void FailPoint(const char* name);

}  // namespace leat
