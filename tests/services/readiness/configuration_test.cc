#include "services/readiness/configuration.h"

#include <gtest/gtest.h>

namespace puckdrop::readiness {
namespace {

TEST(ConfigurationTest, TellsTheFirstANewOneAndTheSame) {
  Configuration configuration;
  EXPECT_EQ(configuration.Note("", absl::Seconds(1)), Configuration::Seen::kSame);
  EXPECT_EQ(configuration.Note("a", absl::Seconds(2)), Configuration::Seen::kNew);
  EXPECT_EQ(configuration.Note("a", absl::Seconds(3)), Configuration::Seen::kSame);
  EXPECT_EQ(configuration.Note("b", absl::Seconds(4)), Configuration::Seen::kNew);
  EXPECT_EQ(configuration.current(), "b");
  EXPECT_EQ(configuration.Cause(absl::Seconds(5)), "") << "a deployment is no alternation";
}

TEST(ConfigurationTest, TwoThatAnswerInTurnsAreACauseUntilOneHasHeldLongEnough) {
  Configuration configuration;
  configuration.Note("a", absl::Seconds(0));
  configuration.Note("b", absl::Seconds(10));
  EXPECT_EQ(configuration.Note("a", absl::Seconds(20)), Configuration::Seen::kBack);
  EXPECT_EQ(configuration.Cause(absl::Seconds(21)),
            "the target's configuration alternates between a and b: two versions are answering at once");
  EXPECT_NE(configuration.Cause(absl::Seconds(20) + Configuration::kLately - absl::Seconds(1)), "");
  EXPECT_EQ(configuration.Cause(absl::Seconds(20) + Configuration::kLately), "");
}

TEST(ConfigurationTest, OneThatComesBackAfterALongTimeIsNew) {
  Configuration configuration;
  configuration.Note("a", absl::ZeroDuration());
  configuration.Note("b", absl::Seconds(10));
  EXPECT_EQ(configuration.Note("a", absl::Hours(1)), Configuration::Seen::kNew) << "rolled back";
  EXPECT_EQ(configuration.Cause(absl::Hours(1)), "");
}

TEST(ConfigurationTest, WhatWasJustReplacedCountsFromWhenItWasLastSeen) {
  Configuration configuration;
  configuration.Note("a", absl::ZeroDuration());
  configuration.Note("a", absl::Hours(5));
  configuration.Note("b", absl::Hours(5) + absl::Seconds(1));
  EXPECT_EQ(configuration.Note("a", absl::Hours(5) + absl::Seconds(2)), Configuration::Seen::kBack);
}

}  // namespace
}  // namespace puckdrop::readiness
