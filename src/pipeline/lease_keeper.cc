#include "pipeline/lease_keeper.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "core/error.h"

namespace leat::pipeline {
namespace {

constexpr auto kInterval = std::chrono::seconds(10);

}  // namespace

LeaseKeeper::LeaseKeeper(const config::Project& project, std::vector<state::Lease> leases)
    : thread_([this, path = project.state.value, name = project.name, held = std::move(leases)](std::stop_token stop) {
        Keep(std::move(stop), path, name, held);
      }) {}

LeaseKeeper::~LeaseKeeper() {
  thread_.request_stop();
  thread_.join();
}

void LeaseKeeper::Keep(std::stop_token stop, std::string state_path, std::string project,
                       std::vector<state::Lease> leases) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_ptr<state::Store> store;
  for (;;) {
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, kInterval, [] { return false; });
    if (stop.stop_requested()) return;
    try {
      if (store == nullptr) store = state::OpenSqlite(state_path, project);
      store->RenewLeases(leases);
    } catch (const Error&) {
      store.reset();  // the commit decides; a state that is busy now may answer next time
    }
  }
}

}  // namespace leat::pipeline
