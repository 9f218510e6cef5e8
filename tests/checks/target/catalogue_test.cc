#include "checks/target/catalogue.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "puckdrop/target/v1/billing.pb.h"
#include "puckdrop/target/v1/ordering.pb.h"

namespace puckdrop::target {
namespace {

TEST(CatalogueTest, HoldsAllOperationsOfAllPaths) {
  EXPECT_EQ(Catalogue().Ids().size(), 51u);
  for (const char* id :
       {"ordering.place_order", "cancellation.withdraw_contract", "device_support.start_pairing",
        "playback.start_playback", "billing.list_charges", "notices.list_notices", "target.advance_clock"}) {
    EXPECT_NE(Catalogue().Find(id), nullptr) << id;
  }
}

TEST(CatalogueTest, MarksWhatCreatesWhatActsAndWhatReads) {
  EXPECT_TRUE(Catalogue().Find("ordering.place_order")->creates);
  EXPECT_TRUE(Catalogue().Find("device_support.register_device")->creates);
  EXPECT_FALSE(Catalogue().Find("playback.start_playback")->creates);
  EXPECT_TRUE(Acts("playback.start_playback"));
  EXPECT_TRUE(Acts("cancellation.cancel_subscription"));
  EXPECT_FALSE(Acts("billing.list_charges"));
  EXPECT_EQ(Catalogue().Find("target.advance_clock")->by, puckdrop::v1::ACTOR_OPERATOR);
  EXPECT_EQ(Catalogue().Find("playback.keep_playback")->by, puckdrop::v1::ACTOR_DEVICE);
}

TEST(CatalogueTest, EveryResponseCanHoldARefusal) {
  for (const std::string& id : Catalogue().Ids()) {
    const auto* field = Catalogue().Find(id)->response->FindFieldByName("refusal");
    ASSERT_NE(field, nullptr) << id;
    EXPECT_EQ(field->number(), 15) << id;
  }
}

TEST(CatalogueTest, FindsAnOperationByItsRequest) {
  EXPECT_EQ(OperationOfRequest("puckdrop.target.v1.ListChargesRequest"), "billing.list_charges");
  EXPECT_EQ(OperationOfRequest("puckdrop.target.v1.Money"), "");
}

TEST(CatalogueTest, AcceptsShortFullAndDraftNamesOfEnumValues) {
  const auto& type = *v1::OrderState_descriptor();
  for (const char* name : {"CANCELLED", "ORDER_STATE_CANCELLED", "ORDER_CANCELLED"}) {
    const auto* value = FindEnumValue(type, name);
    ASSERT_NE(value, nullptr) << name;
    EXPECT_EQ(value->number(), v1::ORDER_STATE_CANCELLED);
  }
  EXPECT_EQ(ShortEnumName(*FindEnumValue(type, "ACTIVE")), "ACTIVE");
  EXPECT_EQ(FindEnumValue(type, "UNSPECIFIED"), nullptr);
  EXPECT_EQ(FindEnumValue(type, "active"), nullptr);
  EXPECT_EQ(FindEnumValue(*v1::ChargeState_descriptor(), "DISPUTED_CHARGE")->number(), v1::CHARGE_STATE_DISPUTED);
}

}  // namespace
}  // namespace puckdrop::target
