#pragma once

#include <string>
#include <thread>
#include <vector>

#include "config/project.h"
#include "state/state.h"

namespace leat::pipeline {

/// Says every few seconds that a run still lives, on a state connection of its own. That a lease was lost shows at the
/// next commit, which then publishes nothing.
class LeaseKeeper {
 public:
  LeaseKeeper(const config::Project& project, std::vector<state::Lease> leases);
  ~LeaseKeeper();

 private:
  void Keep(std::stop_token stop, std::string state_path, std::string project, std::vector<state::Lease> leases);

  std::jthread thread_;
};

}  // namespace leat::pipeline
