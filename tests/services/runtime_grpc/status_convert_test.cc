#include "services/runtime/status_convert.h"

#include <gtest/gtest.h>

namespace puckdrop::runtime {
namespace {

TEST(StatusConvertTest, EveryCodeComesBackAsItWas) {
  for (int code = 0; code <= 16; ++code) {
    absl::Status status(static_cast<absl::StatusCode>(code), code == 0 ? "" : "words");
    grpc::Status wire = ToGrpcStatus(status);
    EXPECT_EQ(static_cast<int>(wire.error_code()), code);
    EXPECT_EQ(FromGrpcStatus(wire), status) << code;
  }
}

TEST(StatusConvertTest, AnUnknownCodeIsUnknownNeverOk) {
  EXPECT_EQ(FromGrpcStatus(grpc::Status(static_cast<grpc::StatusCode>(31), "x")).code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(ToGrpcStatus(absl::Status(static_cast<absl::StatusCode>(99), "x")).error_code(), grpc::StatusCode::UNKNOWN);
}

TEST(StatusConvertTest, BadBytesInAMessageDoNotTravel) {
  EXPECT_EQ(ToGrpcStatus(absl::InternalError("a\xff z")).error_message(), "a\xEF\xBF\xBD z");
}

TEST(StatusConvertTest, ADetailSurvivesItsWire) {
  absl::Status status = WithReason(absl::NotFoundError("no"), "NO_SUCH_CHECK", {{"check", "a.b"}});
  absl::Status back = WithSerializedErrorInfo(FromGrpcStatus(ToGrpcStatus(status)), SerializedErrorInfo(status));
  EXPECT_EQ(ReasonOf(back), "NO_SUCH_CHECK");
  EXPECT_EQ(ErrorInfoOf(back)->domain(), "puckdrop");
  EXPECT_EQ(ErrorInfoOf(back)->metadata().at("check"), "a.b");
}

TEST(StatusConvertTest, ADetailThatCannotBeReadIsLeftOut) {
  absl::Status back = WithSerializedErrorInfo(absl::NotFoundError("no"), "\xff\xff");
  EXPECT_FALSE(ErrorInfoOf(back).has_value());
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
  EXPECT_TRUE(WithReason(absl::OkStatus(), "X").ok());
}

}  // namespace
}  // namespace puckdrop::runtime
