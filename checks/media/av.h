// Ownership of libav* objects, memory input, and the bounds every call runs under. Internal to the decoder.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace puckdrop::media::internal {

struct PacketDeleter {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FrameDeleter {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct CodecDeleter {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
struct SwrDeleter {
  void operator()(SwrContext* context) const { swr_free(&context); }
};
struct SwsDeleter {
  void operator()(SwsContext* context) const { sws_freeContext(context); }
};
using PacketPtr = std::unique_ptr<AVPacket, PacketDeleter>;
using FramePtr = std::unique_ptr<AVFrame, FrameDeleter>;
using CodecPtr = std::unique_ptr<AVCodecContext, CodecDeleter>;
using SwrPtr = std::unique_ptr<SwrContext, SwrDeleter>;
using SwsPtr = std::unique_ptr<SwsContext, SwsDeleter>;

// CPU time of the calling thread against a budget: what others do on the machine does not count.
class CpuBudget {
 public:
  explicit CpuBudget(absl::Duration budget);
  absl::Duration Used() const;
  bool Spent() const { return Used() >= budget_; }

 private:
  absl::Duration budget_;
  absl::Duration begin_;
};

// An AVFormatContext over two views read one after the other. Opens no other resource, whatever the bytes ask for.
class MemoryInput {
 public:
  MemoryInput(absl::string_view first, absl::string_view second, const CpuBudget& budget)
      : first_(first), second_(second), budget_(budget) {}
  ~MemoryInput();
  MemoryInput(const MemoryInput&) = delete;
  MemoryInput& operator=(const MemoryInput&) = delete;

  // `demuxer`: "mpegts", "mov", "aac" or "ac3". 0 or an AVERROR.
  int Open(const char* demuxer);
  AVFormatContext* get() { return format_; }

 private:
  static int Read(void* opaque, uint8_t* buffer, int size);
  static int64_t Seek(void* opaque, int64_t offset, int whence);
  static int Interrupt(void* opaque);
  int64_t size() const { return static_cast<int64_t>(first_.size() + second_.size()); }

  absl::string_view first_;
  absl::string_view second_;
  const CpuBudget& budget_;
  int64_t position_ = 0;
  AVIOContext* io_ = nullptr;
  AVFormatContext* format_ = nullptr;
};

std::string AvErrorText(int error);
// Once for the process: libav* prints nothing; what it would say is in our facts.
void SilenceLibav();

// A JPEG of the picture, at most `max_width` wide; empty when the picture's format cannot be converted.
std::string EncodeJpeg(const AVFrame& frame, int max_width);

}  // namespace puckdrop::media::internal
