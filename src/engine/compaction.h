#pragma once

#include "engine/engine.h"
#include "lake/pending.h"

namespace leat::engine {

/// Bring the files of a table back into order within the commit that `pending` is going to be, where they have grown
/// out of it. No version changes, none is lost, and no `_leat_seq` is given anew; only the files that hold them do.
///
/// * A keyed stream whose files newer than the base hold more than a fifth of the base's rows gets a new base: the
///   current rows. All other versions go to a file of the superseded partition, and `leat.base_seq` moves.
/// * Where more than 50 small files of one kind have gathered (newer ones of a stream, superseded ones, those of a
/// table
///   that is appended to), they become one.
///
/// Nothing due: no data file is opened. Files that leave stay on disk, since older snapshots name them; files that
/// `pending` added and that go into another are removed from disk. \param connection  used for reading and writing
/// Throws: what TableWriter::WriteRows throws; Error(kInternal, LEAT0523) if the new files do not hold as many rows as
/// the old ones. Then `pending` and its files are as before.
void Compact(Engine& engine, duck::Connection& connection, const lake::TableWriter& writer,
             lake::PendingTable& pending);

/// The same for a child of the keyed stream that `parent` changes in the same commit, once that one is in order. Where
/// it got a new base, the child's current rows become one too, and those of superseded versions go to files of the
/// superseded partition. What `child` brings nothing new for may still change: it is to be published if it has files
/// added or removed then.
void CompactChild(Engine& engine, duck::Connection& connection, const lake::TableWriter& writer,
                  const lake::PendingTable& parent, lake::PendingTable& child);

}  // namespace leat::engine
