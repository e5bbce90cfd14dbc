#pragma once

// The folder's interface: read the SQL of models, order them, validate them, build them.
#include "models/builder.h"
#include "models/graph.h"
#include "models/macros.h"
#include "models/query_fault.h"
#include "models/stream_checks.h"
#include "models/tables_read.h"
#include "models/validate.h"
