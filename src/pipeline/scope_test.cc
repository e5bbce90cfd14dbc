#include "pipeline/scope.h"

#include <gtest/gtest.h>

namespace leat::pipeline {
namespace {

TEST(ScopeTest, IsWrittenAsItWasTyped) {
  EXPECT_EQ(FormatScope({}), "");
  EXPECT_EQ(FormatScope({.select = "source:crm+ mart.a", .exclude = "tag:monthly mart.b", .full_refresh = true}),
            "source:crm+ mart.a --exclude tag:monthly --exclude mart.b --full-refresh");
  EXPECT_EQ(FormatScope({.select = "mart.*", .retry_of = 41}), "retry of run 41");
}

TEST(ScopeTest, IsReadAsItWasWritten) {
  for (const Scope& scope :
       {Scope{}, Scope{.select = "+mart.a mart.*"}, Scope{.exclude = "tag:monthly mart.b"},
        Scope{.select = "mart.a", .full_refresh = true}, Scope{.select = "source:crm", .from_landing = true},
        Scope{.retry_of = 41}, Scope{.select = "a", .exclude = "b", .full_refresh = true}})
    EXPECT_EQ(ParseScope(FormatScope(scope)), scope) << FormatScope(scope);
}

}  // namespace
}  // namespace leat::pipeline
