#include "checks/media/av.h"

#include <time.h>

#include <algorithm>
#include <cstring>
#include <mutex>

extern "C" {
#include <libavutil/error.h>
#include <libavutil/opt.h>
}

namespace puckdrop::media::internal {
namespace {

constexpr int kIoBuffer = 32 << 10;

absl::Duration ThreadCpuTime() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return absl::DurationFromTimespec(now);
}

// Demuxers may be told by their input to open further resources (external data references); never from here.
int RefuseOpen(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) { return AVERROR(EPERM); }

}  // namespace

CpuBudget::CpuBudget(absl::Duration budget) : budget_(budget), begin_(ThreadCpuTime()) {}
absl::Duration CpuBudget::Used() const { return ThreadCpuTime() - begin_; }

MemoryInput::~MemoryInput() {
  if (format_ != nullptr) avformat_close_input(&format_);
  if (io_ != nullptr) {
    av_freep(&io_->buffer);
    avio_context_free(&io_);
  }
}

int MemoryInput::Read(void* opaque, uint8_t* buffer, int size) {
  auto* self = static_cast<MemoryInput*>(opaque);
  const auto first_size = static_cast<int64_t>(self->first_.size());
  const bool in_first = self->position_ < first_size;
  const absl::string_view view = in_first ? self->first_ : self->second_;
  const int64_t at = in_first ? self->position_ : self->position_ - first_size;
  const int64_t left = static_cast<int64_t>(view.size()) - at;
  if (left <= 0 || size <= 0) return AVERROR_EOF;
  const auto count = static_cast<size_t>(std::min<int64_t>(left, size));
  std::memcpy(buffer, view.data() + at, count);
  self->position_ += static_cast<int64_t>(count);
  return static_cast<int>(count);
}

int64_t MemoryInput::Seek(void* opaque, int64_t offset, int whence) {
  auto* self = static_cast<MemoryInput*>(opaque);
  whence &= ~AVSEEK_FORCE;
  if (whence == AVSEEK_SIZE) return self->size();
  int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? self->position_ : whence == SEEK_END ? self->size() : -1;
  if (base < 0 || offset > self->size() || offset < -self->size()) return AVERROR(EINVAL);
  const int64_t target = base + offset;
  if (target < 0 || target > self->size()) return AVERROR(EINVAL);
  self->position_ = target;
  return target;
}

int MemoryInput::Interrupt(void* opaque) { return static_cast<MemoryInput*>(opaque)->budget_.Spent() ? 1 : 0; }

int MemoryInput::Open(const char* demuxer) {
  const AVInputFormat* input = av_find_input_format(demuxer);
  if (input == nullptr) return AVERROR_DEMUXER_NOT_FOUND;
  auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBuffer));
  if (buffer == nullptr) return AVERROR(ENOMEM);
  io_ = avio_alloc_context(buffer, kIoBuffer, 0, this, &Read, nullptr, &Seek);
  if (io_ == nullptr) {
    av_free(buffer);
    return AVERROR(ENOMEM);
  }
  format_ = avformat_alloc_context();
  if (format_ == nullptr) return AVERROR(ENOMEM);
  format_->pb = io_;
  format_->flags |= AVFMT_FLAG_CUSTOM_IO;
  format_->io_open = &RefuseOpen;
  format_->interrupt_callback = {&Interrupt, this};
  format_->correct_ts_overflow = 0;  // callers line segments up by the clock as it is in the stream
  format_->max_streams = 64;
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "none", 0);
  av_dict_set(&options, "format_whitelist", "mpegts,mov,aac,ac3", 0);
  // On failure avformat_open_input frees the context and clears the pointer.
  int error = avformat_open_input(&format_, nullptr, input, &options);
  av_dict_free(&options);
  return error;
}

std::string AvErrorText(int error) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(error, text, sizeof(text));
  return text;
}

void SilenceLibav() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_level(AV_LOG_QUIET); });
}

std::string EncodeJpeg(const AVFrame& frame, int max_width) {
  if (frame.width <= 0 || frame.height <= 0 || max_width < 16) return "";
  int width = std::min(frame.width, max_width);
  int height = static_cast<int>(static_cast<int64_t>(frame.height) * width / frame.width);
  width = std::max(2, width & ~1);
  height = std::min(std::max(2, height & ~1), 8192);
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
  if (codec == nullptr) return "";
  SwsPtr scaler(sws_getContext(frame.width, frame.height, static_cast<AVPixelFormat>(frame.format), width, height,
                               AV_PIX_FMT_YUV420P, SWS_BILINEAR, nullptr, nullptr, nullptr));
  FramePtr scaled(av_frame_alloc());
  CodecPtr encoder(avcodec_alloc_context3(codec));
  PacketPtr packet(av_packet_alloc());
  if (!scaler || !scaled || !encoder || !packet) return "";
  const bool full_range = frame.color_range == AVCOL_RANGE_JPEG || frame.format == AV_PIX_FMT_YUVJ420P ||
                          frame.format == AV_PIX_FMT_YUVJ422P || frame.format == AV_PIX_FMT_YUVJ444P;
  const int* coefficients = sws_getCoefficients(frame.height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601);
  // JPEG is full range and BT.601 whatever the stream is.
  sws_setColorspaceDetails(scaler.get(), coefficients, full_range ? 1 : 0, sws_getCoefficients(SWS_CS_ITU601), 1, 0,
                           1 << 16, 1 << 16);
  scaled->format = AV_PIX_FMT_YUV420P;
  scaled->width = width;
  scaled->height = height;
  scaled->color_range = AVCOL_RANGE_JPEG;
  if (av_frame_get_buffer(scaled.get(), 0) < 0) return "";
  if (sws_scale(scaler.get(), frame.data, frame.linesize, 0, frame.height, scaled->data, scaled->linesize) <= 0)
    return "";
  encoder->width = width;
  encoder->height = height;
  encoder->pix_fmt = AV_PIX_FMT_YUV420P;
  encoder->color_range = AVCOL_RANGE_JPEG;
  encoder->strict_std_compliance = FF_COMPLIANCE_UNOFFICIAL;
  encoder->time_base = {1, 25};
  encoder->thread_count = 1;
  encoder->flags |= AV_CODEC_FLAG_QSCALE;
  encoder->global_quality = 5 * FF_QP2LAMBDA;
  scaled->quality = encoder->global_quality;
  scaled->pts = 0;
  if (avcodec_open2(encoder.get(), codec, nullptr) < 0) return "";
  if (avcodec_send_frame(encoder.get(), scaled.get()) < 0) return "";
  if (avcodec_receive_packet(encoder.get(), packet.get()) < 0) return "";
  return std::string(reinterpret_cast<const char*>(packet->data), static_cast<size_t>(packet->size));
}

}  // namespace puckdrop::media::internal
