"""The mutants: mistakes that leat could contain, and the test that must notice each.

A mutant is a place in src/ and what stands there instead. `old` must occur exactly once in `file`, so that the list cannot
outlive what it speaks of. All mutants are compiled into one program, which is told by LEAT_MUTANT whose mistake to make:

    an expression   old, new          becomes  (IS_MUTANT ? (new) : (old))
    statements      end in ; or }     become   if (IS_MUTANT) { new } else { old }
    anything else   `new` itself holds IS_MUTANT, and stands in place of old
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Unit:
    """Tests of one program of unit tests; `filter` as --gtest_filter takes it."""

    program: str
    filter: str

    def __str__(self) -> str:
        return f"{self.program} {self.filter}"


@dataclasses.dataclass(frozen=True)
class Pytest:
    """One test that runs the program, below tests/."""

    node: str

    def __str__(self) -> str:
        return self.node


@dataclasses.dataclass(frozen=True)
class Mutant:
    name: str
    mistake: str
    file: str
    old: str
    new: str
    caught_by: Unit | Pytest


def core(test: str) -> Unit:
    return Unit("core_test", test)


def state(test: str) -> Unit:
    return Unit("state_test", test)


def engine(test: str) -> Unit:
    return Unit("engine_test", test)


def plan(test: str) -> Unit:
    return Unit("sources_test", test)


def pipeline(test: str) -> Unit:
    return Unit("pipeline_test", test)


def models(test: str) -> Unit:
    return Unit("models_test", test)


DURABLE = Pytest("faults/test_durability_order.py::test_nothing_is_published_before_its_files_are_on_disk")
FILES = "core/file_system.cc"
STORAGE = "lake/storage.cc"
PUBLISH = "state/sqlite/publish.cc"
RUNS = "state/sqlite/runs.cc"
STREAM_LOAD = "pipeline/stream_load.cc"
POSITION = "sources/postgres/position.cc"
READER = "sources/postgres/stream_reader.cc"
STREAM_SQL = "sources/postgres/stream_sql.cc"
ENGINE = "engine/engine.cc"
COMPACTION = "engine/compaction.cc"

MUTANTS = [
    # --- files ---
    Mutant(
        "no fsync of data files",
        "What DuckDB wrote is left to the kernel's good will when its rows are published.",
        STORAGE,
        "SyncFile(DuckPath(name));",
        "",
        DURABLE,
    ),
    Mutant(
        "no fsync of metadata files",
        "What leat wrote itself is not flushed before it is published.",
        FILES,
        'FailPoint("core.new_file.before_sync");\n    file.Sync();',
        "",
        DURABLE,
    ),
    Mutant(
        "no fsync of folders",
        "Files are flushed, their names are not.",
        FILES,
        "folder.Sync();",
        "",
        DURABLE,
    ),
    Mutant(
        "no fsync of a data file's folder",
        "A data file is flushed, its name is not; metadata is done right.",
        STORAGE,
        "SyncDirectory(ParentPath(DuckPath(name)));",
        "",
        DURABLE,
    ),
    Mutant(
        "no fsync above a new folder",
        "A folder that was just made may be gone with all that is in it.",
        FILES,
        'SyncDirectory(parent.empty() ? "." : parent);',
        ";",
        DURABLE,
    ),
    Mutant(
        "fsync errors ignored",
        "A disk that refuses to keep a file is believed to have kept it.",
        FILES,
        "fsync(fd_) != 0",
        "fsync(fd_) != 0 && false",
        core("FileSystemTest.TellsThatAnFsyncWasRefused"),
    ),
    Mutant(
        "short writes taken for whole",
        "The rest of a write that was done in part is dropped.",
        FILES,
        "bytes.remove_prefix(static_cast<size_t>(written));",
        "bytes = {};",
        core("FileSystemTest.AFileThatWasWrittenInPartIsNone"),
    ),
    Mutant(
        "names used twice",
        "A file that is there already is overwritten, although published metadata may name it.",
        FILES,
        "O_WRONLY | O_CREAT | O_EXCL",
        "O_WRONLY | O_CREAT | O_TRUNC",
        core("FileSystemTest.WritesANewFileOnlyOnce"),
    ),
    # --- the commit ---
    Mutant(
        "SQLite at synchronous NORMAL",
        "A commit of the state is not flushed when it is told to be done.",
        "state/sqlite/database.cc",
        '"PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"',
        '"PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON"',
        state("*ACommitWhoseFsyncFailsPublishesNothing*"),
    ),
    Mutant(
        "failed commit taken for success",
        "An error of COMMIT in the state database is not looked at.",
        PUBLISH,
        "if (fault) SettleUnknown(commit.attempt, *fault);",
        "",
        state("*ACommitWhoseFsyncFailsPublishesNothing*"),
    ),
    Mutant(
        "position before data",
        "How far a stream was read is committed first, its rows in a commit of their own.",
        "pipeline/run.cc",
        "commit.steps.push_back(ExtractStepOf(outcome));",
        """state::Commit early = commit;
        early.attempt = NewUuid();
        early.swaps.clear();
        early.steps.clear();
        workspace_.store()->Publish(early);
        commit.steps.push_back(ExtractStepOf(outcome));""",
        Pytest("faults/test_durability_order.py::test_positions_and_rows_become_true_together"),
    ),
    Mutant(
        "pointer moved without compare",
        "A table's pointer is set whatever it was, over the commit of somebody else.",
        PUBLISH,
        """R"sql(
      UPDATE iceberg_tables SET metadata_location = ?5, previous_metadata_location = ?4
      WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3 AND metadata_location = ?4
        AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL))sql\"""",
        """R"sql(
      UPDATE iceberg_tables SET metadata_location = ?5, previous_metadata_location = ?4
      WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3)sql\"""",
        state("*AMovedPointerPublishesNothing*"),
    ),
    Mutant(
        "position moved without compare",
        "A position is set whatever it was.",
        PUBLISH,
        '"UPDATE leat_positions SET value = ?2, commit_number = ?3 WHERE stream = ?1 AND commit_number = ?4"',
        '"UPDATE leat_positions SET value = ?2, commit_number = ?3 WHERE stream = ?1 AND ?4 = ?4"',
        state("*AMovedPositionPublishesNothing*"),
    ),
    Mutant(
        "attempts published twice",
        "A commit whose answer was lost is done again without a look at whether it was carried out.",
        PUBLISH,
        "if (IsPublished(commit.attempt))",
        "if (!IS_MUTANT && IsPublished(commit.attempt))",
        state("*AnAttemptIsPublishedOnce*"),
    ),
    Mutant(
        "no epoch: a lease is taken without raising it",
        "Who was replaced looks like the one who replaced him.",
        RUNS,
        """R"sql(
      INSERT INTO leat_leases (name, epoch, run, taken_at_us, touched_at_us) VALUES (?1, 1, ?2, ?3, ?3)
      ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1, run = ?2, taken_at_us = ?3, touched_at_us = ?3
      RETURNING epoch)sql\"""",
        """R"sql(
      INSERT INTO leat_leases (name, epoch, run, taken_at_us, touched_at_us) VALUES (?1, 1, ?2, ?3, ?3)
      ON CONFLICT (name) DO UPDATE SET run = ?2, taken_at_us = ?3, touched_at_us = ?3
      RETURNING epoch)sql\"""",
        state("*EachTakerRaisesTheEpoch*"),
    ),
    Mutant(
        "no epoch: it is not compared",
        "A run that slept while another took its lease publishes all the same.",
        RUNS,
        '"UPDATE leat_leases SET touched_at_us = ?3 WHERE name = ?1 AND epoch = ?2 AND run IS NOT NULL"',
        '"UPDATE leat_leases SET touched_at_us = ?3 WHERE name = ?1 AND ?2 = ?2 AND run IS NOT NULL"',
        state("*ASilentRunOfAnotherMachineIsReplacedAndFenced*"),
    ),
    # --- how far a stream was read ---
    Mutant(
        "newest horizon trusted",
        "A read goes on from the last horizon, although a crash gives out ids of before it again.",
        POSITION,
        "return lowest;",
        "return last.horizon;",
        plan("PlanReadTest.GoesBackSixtySecondsBeforeTheLastReadAndNotBeforeNow"),
    ),
    Mutant(
        "lowest horizon ignored",
        "The safe entry's horizon counts, although a later one is lower.",
        POSITION,
        "lowest = std::min(lowest, ring[i].horizon);",
        "lowest = ring[from].horizon;",
        plan("PlanReadTest.TakesTheLowestHorizonSinceThen"),
    ),
    Mutant(
        "naive cursor",
        "The greatest id seen is where the next read goes on: rows of transactions that were still open are lost.",
        POSITION,
        "ring.push_back({moment.time, horizon, moment.next});",
        "ring.assign(1, {moment.time, moment.next, moment.next});",
        Pytest("e2e/test_changes.py::test_late_commit_is_read_where_no_count_would_tell"),
    ),
    Mutant(
        "ids compared without their window",
        "A row's 32 bits are compared as a number: beyond 2^32 new rows look old.",
        READER,
        """fmt::format("age(xmin) <= age('{}'::xid) AND age(xmin) >= 0", from)""",
        'fmt::format("xmin::text::bigint >= {}", from)',
        Pytest("e2e/test_transaction_ids.py::test_rows_written_around_two_to_the_31_and_32_are_read_once"),
    ),
    Mutant(
        "timeline left out of the identity",
        "A promoted standby is read on as if it were the server of before.",
        POSITION,
        "timeline == other.timeline",
        "true",
        plan("PlanReadTest.ComparesEverythingWhereIdsMeanSomethingElse"),
    ),
    Mutant(
        "shape left out of the identity",
        "A column added with a default changes what rows show, and none of them is read again.",
        READER,
        "HashOfText(shape)",
        "std::string()",
        Pytest("e2e/test_columns_change.py::test_added_column_with_default_arrives_everywhere"),
    ),
    Mutant(
        "partitions left out of the identity",
        "The old rows of a partition that was attached are never read.",
        POSITION,
        "identity != position->identity",
        "identity.shape != position->identity.shape",
        plan("PlanReadTest.ComparesEverythingWhereRowsMayShowOtherThings"),
    ),
    Mutant(
        "deletes after a crash",
        "What a server has not brought back yet counts as deleted.",
        POSITION,
        "plan.may_delete = false;",
        "",
        plan("PlanReadTest.GoesOnAfterACrashWithoutDeletesUntilIdsHaveCaughtUp"),
    ),
    Mutant(
        "deletes from an older snapshot",
        "A standby that lags behind what was read is read all the same; what it does not have yet is deleted.",
        POSITION,
        "moment.is_standby && !last.ring.empty()",
        "false",
        plan("PlanReadTest.ReadsNothingFromAStandbyThatIsBehind"),
    ),
    Mutant(
        "first horizon not flushed",
        "The first read does not wait for the server's log: its horizon may not survive a crash.",
        "sources/postgres/postgres_source.cc",
        "must_wait && AwaitFlush(*connection, moment_)",
        "true",
        Pytest("e2e/test_transaction_ids.py::test_crash_right_after_the_very_first_read_loses_nothing[never flushed]"),
    ),
    # --- what is a change, and what is gone ---
    Mutant(
        "repeats dropped if any version matches",
        "A value that returns is taken for a repeat, because the row had it long ago.",
        STREAM_SQL,
        "rows, CurrentOf(rows), Key(), AnyDistinct()",
        "(IS_MUTANT ? fmt::format(\"(SELECT {0} FROM {1} EXCEPT SELECT {0} FROM {2})\", QuoteList(columns_), rows,\n"
        "                               WithAllColumns(engine_.AllRowsSql(*lake_)))\n"
        "                 : rows),\n      CurrentOf(rows), Key(), AnyDistinct()",
        Pytest("e2e/test_changes.py::test_value_that_returns_is_a_third_version"),
    ),
    Mutant(
        "deletes not looked at among repeats",
        "A row that was deleted and came back unchanged is taken for a repeat.",
        ENGINE,
        """DESC) = 1 AND _leat_op = 'u')",
      lake::ReadFilesSql(storage_, relation.schema, relation.LiveFiles()), keys, QuoteList(relation.key)""",
        """DESC) = 1 AND {3})",
      lake::ReadFilesSql(storage_, relation.schema, relation.LiveFiles()), keys, QuoteList(relation.key),
      IS_MUTANT ? "true" : "_leat_op = 'u'\"""",
        Pytest("e2e/test_changes.py::test_row_that_came_back_is_a_version_where_no_count_would_tell"),
    ),
    Mutant(
        "read that broke off taken for whole",
        "Rows that did not come any more after an error are believed not to be there.",
        "clients/postgres/scan.cc",
        "duckdb_function_set_error(info, TextOf(error).c_str());",
        "duckdb_data_chunk_set_size(output, 0);",
        Pytest("e2e/test_sources.py::test_value_that_does_not_fit_is_told_with_its_key"),
    ),
    Mutant(
        "truncated during the read taken for empty",
        "A table that another session emptied after the snapshot is believed to have been empty at its moment.",
        READER,
        "  RefuseRewritten();\n}",
        "  if (!IS_MUTANT) RefuseRewritten();\n}",
        Pytest("e2e/test_deletes.py::test_table_truncated_while_it_is_read_keeps_its_rows"),
    ),
    # --- current rows ---
    Mutant(
        "current rows show deleted ones",
        "The newest version of a key counts although it is a delete.",
        ENGINE,
        'fmt::format("({})", VersionsSql(relation, kIsCurrent))',
        'fmt::format("({})", VersionsSql(relation, "(n.newest IS NULL OR n.newest = h._leat_seq)"))',
        engine("EngineTest.ShowsTheNewestVersionPerKeyAndHidesDeletedOnes"),
    ),
    Mutant(
        "compaction loses history",
        "A new base keeps the current rows and drops the superseded versions.",
        COMPACTION,
        "engine_.OutdatedRowsSql(relation_)",
        'engine_.OutdatedRowsSql(relation_) + " WHERE false"',
        engine("CompactionTest.RewritesTheBasePastAFifthOfItsRows"),
    ),
    Mutant(
        "compaction does not count",
        "Files leave a table although the new ones hold fewer rows.",
        COMPACTION,
        "lake::CountRows(leaving) != lake::CountRows(coming)",
        "false",
        engine("CompactionTest.StopsWhenTheFilesHoldOtherRowsThanTheirManifestsCount"),
    ),
    Mutant(
        "base not moved",
        "After a rewrite all rows still count as newer than the base.",
        COMPACTION,
        'properties_["leat.base_seq"] = std::to_string(base_seq);',
        "",
        engine("CompactionTest.RewritesTheBasePastAFifthOfItsRows"),
    ),
    Mutant(
        "base moved too far",
        "Versions of the next commit count as part of the base, where nobody looks for superseded ones.",
        COMPACTION,
        "base_seq = std::max(base_seq, file.Int64Bounds(relation_.schema.Find(\"_leat_seq\")->id)->second);",
        "base_seq = file.Int64Bounds(relation_.schema.Find(\"_leat_seq\")->id)->second + (1 << 24);",
        engine("CompactionTest.AnyOrderOfVersionsStaysWhatItWas"),
    ),
    # --- the warehouse ---
    Mutant(
        "ledger outside the load's transaction",
        "The warehouse commits rows before it notes which snapshot they are of.",
        "warehouse/postgres/loader.cc",
        'FailPoint("warehouse.ledger.before_rows");',
        'server_.Execute("COMMIT");\n  server_.Execute("BEGIN");',
        Pytest("faults/test_durability_order.py::test_ledger_and_rows_of_the_warehouse_become_true_together"),
    ),
    Mutant(
        "lost COMMIT taken for success",
        "A COMMIT whose answer did not come is believed to have been carried out.",
        "warehouse/postgres/postgres_warehouse.cc",
        "if (fate == CommitFate::kCommitted) return;",
        "return;",
        Pytest("faults/test_durability_order.py::test_commit_without_an_answer_is_looked_up[unsent_commit]"),
    ),
    Mutant(
        "older state loads over a newer warehouse",
        "A state that was restored from a backup takes the warehouse back in time.",
        "warehouse/ledger_row.cc",
        "!has_later_commit && !has_later_epoch",
        "true",
        Pytest("e2e/test_warehouse_faults.py::test_older_state_does_not_load_over_a_newer_warehouse"),
    ),
    # --- streams in the warehouse ---
    Mutant(
        "stream load begins one version late",
        "Versions of the first commit after the load never travel.",
        STREAM_LOAD,
        "LastSeq(file) <= seq",
        "LastSeq(file) <= seq + (1 << 24)",
        pipeline("StreamLoadTest.ADeltaFromAnySnapshotHoldsWhatChangedAndNoMore"),
    ),
    Mutant(
        "another key goes unnoticed",
        "A stream with a new key sends rows found by it beside those of the old one.",
        STREAM_LOAD,
        "versions.is_keyed() && versions.relation().base_from_seq > versions.LastSeq(loaded)",
        "false",
        pipeline("StreamLoadTest.AnotherKeyReplacesAllRows"),
    ),
    # --- what a project says ---
    Mutant(
        "misspelt exclude lets the column travel",
        "A column that is to stay at the source is named wrongly, and nobody says so.",
        "sources/postgres/column_names.cc",
        "std::any_of(about.begin(), about.end(), [&](const auto* stream) { return HasColumn(*stream, named); })",
        "true",
        plan("MatchStreamsTest.AMisspeltColumnStopsItsStream"),
    ),
    Mutant(
        "deciding columns left out of lineage",
        "A column that WHERE looks at is no origin of what comes out.",
        "models/column_lineage.cc",
        'Decide(result, MemberOf(select, "where_clause"), scope, ctes);',
        "",
        models("ColumnLineageTest.KnowsWhereTheColumnsOfManyQueriesComeFrom"),
    ),
    Mutant(
        "late data called fresh",
        "The greater limit of a promise is never reached.",
        "pipeline/freshness.cc",
        "if (promise.error_after && age > *promise.error_after) return Age::kTooLate;",
        "",
        pipeline("FreshnessTest.JudgesTheAgeOfDataByItsPromise"),
    ),
    # --- APIs ---
    Mutant(
        "children of former versions are current",
        "Entries that were taken out of a list stay in its table.",
        "engine/engine.cc",
        '"c._leat_seq = p._leat_seq"',
        '"true"',
        plan("NestedTest.AListAloneMakesAVersion"),
    ),
    Mutant(
        "entries that are no records pass for none",
        "A field that the API renamed empties the table of a full read.",
        "sources/nested/nested_reader.cc",
        "entries == intake_.records()",
        "true",
        Pytest("e2e/test_http_source.py::test_entries_without_the_last_step_of_records_delete_nothing"),
    ),
    Mutant(
        "position beyond the run",
        "One record dated into the future hides all that change until then.",
        "sources/http/http_stream_read.cc",
        "now.until = std::min(now.until, context_.now);",
        "",
        Pytest("e2e/test_http_source.py::test_record_of_the_future_does_not_move_the_position_beyond_the_run"),
    ),
    Mutant(
        "increment from the newest of its streams",
        "What came late into one stream is not merged, since another was further.",
        "models/build_mark.cc",
        "std::min(*since, of_stream)",
        "std::max(*since, of_stream)",
        models("IncrementalTest.SinceIsTheOldestOfWhatItsStreamsHadThen"),
    ),
    Mutant(
        "credentials follow a redirect",
        "The key of one origin is sent to another.",
        "clients/http/hop.cc",
        "if (next.url.origin() != request.url.origin()) next.is_at_home = false;",
        "",
        Pytest("e2e/test_http_misbehaviour.py::test_the_key_follows_to_no_other_host"),
    ),
]
