#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

/// Paths are absolute or relative to the working directory. Every function throws Error(kInternal, LEAT0502) that names
/// the path and the system's reason; a failed fsync is final: the caller gives up its attempt and never repeats the
/// fsync.

/// Read a whole file. Throws: Error(kConfig, LEAT0503) if it is absent.
std::string ReadFile(const std::string& path);

bool PathExists(const std::string& path);
bool IsDirectory(const std::string& path);
int64_t FileSize(const std::string& path);

/// Make a folder and its parents, and fsync each parent that gained an entry.
void MakeDirectories(const std::string& path);

/// Write a new file that survives a power cut: O_EXCL in its final folder, write all, fsync, close, fsync the folder.
/// Throws: also if the name exists.
void WriteNewFile(const std::string& path, std::string_view bytes);

/// Replace or create a file at once: a temporary name in the same folder, fsync, rename, fsync of the folder.
void ReplaceFile(const std::string& path, std::string_view bytes);

/// Fsync a file that another library wrote.
void SyncFile(const std::string& path);
void SyncDirectory(const std::string& path);

/// Remove a file if it is there. Never throws; cleaning is a courtesy.
void RemoveFileQuietly(const std::string& path) noexcept;

/// Sorted names of the entries of a folder, without `.` and `..`; empty if it is absent.
std::vector<std::string> ListDirectory(const std::string& path);

/// Sorted paths of all regular files below `path`, relative to it.
std::vector<std::string> ListFilesBelow(const std::string& path);

/// The absolute form of `path` without `.` and `..`; links stay as they are.
std::string AbsolutePath(const std::string& path);
std::string JoinPath(std::string_view folder, std::string_view name);
std::string ParentPath(std::string_view path);

}  // namespace leat
