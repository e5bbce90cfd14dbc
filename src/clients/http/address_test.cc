#include "clients/http/address.h"

#include <gtest/gtest.h>

namespace leat::http {
namespace {

TEST(AddressTest, KnowsWhatIsNotOfThePublicInternet) {
  for (const char* address : {"0.0.0.0",
                              "0.1.2.3",
                              "10.0.0.1",
                              "10.255.255.255",
                              "100.64.0.1",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.9.9.9",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.170",
                              "192.168.0.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::127.0.0.1",
                              "::8.8.8.8",
                              "::ffff:127.0.0.1",
                              "::ffff:8.8.8.8",
                              "64:ff9b::a00:1",
                              "64:ff9b::a9fe:a9fe",
                              "64:ff9b:1::1",
                              "2002:7f00:1::1",
                              "2002:c0a8:1::1",
                              "2001::1",
                              "fc00::1",
                              "fdff::1",
                              "fe80::1",
                              "fe80::1%eth0",
                              "febf::1",
                              "fec0::1",
                              "ff02::1",
                              "nonsense",
                              ""})
    EXPECT_NE(WhyNotPublic(std::string(address)), "") << address;
}

TEST(AddressTest, LeavesPublicAddressesAlone) {
  for (const char* address : {"1.1.1.1",         "8.8.8.8",
                              "9.255.255.255",   "11.0.0.0",
                              "100.63.255.255",  "100.128.0.0",
                              "126.255.255.255", "128.0.0.0",
                              "169.253.255.255", "169.255.0.0",
                              "172.15.255.255",  "172.32.0.0",
                              "192.167.255.255", "192.169.0.0",
                              "198.17.255.255",  "198.20.0.0",
                              "223.255.255.255", "2606:4700::1111",
                              "2a00:1450::1",    "64:ff9b::808:808",
                              "2002:808:808::1", "2001:4860:4860::8888",
                              "fe00::1",         "fbff::1"})
    EXPECT_EQ(WhyNotPublic(std::string(address)), "") << address;
}

TEST(AddressTest, SaysWhose) {
  EXPECT_EQ(WhyNotPublic(std::string("127.0.0.1")), "this machine");
  EXPECT_EQ(WhyNotPublic(std::string("169.254.169.254")), "the local link");
  EXPECT_EQ(WhyNotPublic(std::string("10.1.2.3")), "a private network");
}

}  // namespace
}  // namespace leat::http
