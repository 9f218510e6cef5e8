#include "checks/media/decoder.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/media/av.h"

namespace puckdrop::media {
namespace {

using internal::AvErrorText;
using internal::CodecPtr;
using internal::CpuBudget;
using internal::FramePtr;
using internal::MemoryInput;
using internal::PacketPtr;
using internal::SwrPtr;

MediaKind KindOf(const AVCodecParameters& parameters) {
  switch (parameters.codec_type) {
    case AVMEDIA_TYPE_VIDEO:
      return MediaKind::kVideo;
    case AVMEDIA_TYPE_AUDIO:
      return MediaKind::kAudio;
    case AVMEDIA_TYPE_SUBTITLE:
      return MediaKind::kText;
    default:
      return MediaKind::kUnknown;
  }
}

// Only the codecs that services send; a segment cannot reach the other hundreds of decoders in the library.
bool MayDecode(AVCodecID id) {
  switch (id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_AV1:
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_AAC:
    case AV_CODEC_ID_AAC_LATM:
    case AV_CODEC_ID_MP3:
    case AV_CODEC_ID_MP2:
    case AV_CODEC_ID_AC3:
    case AV_CODEC_ID_EAC3:
    case AV_CODEC_ID_OPUS:
    case AV_CODEC_ID_FLAC:
      return true;
    default:
      return false;
  }
}

CodecFamily FamilyOf(AVCodecID id) {
  switch (id) {
    case AV_CODEC_ID_H264:
      return CodecFamily::kAvc;
    case AV_CODEC_ID_HEVC:
      return CodecFamily::kHevc;
    case AV_CODEC_ID_AV1:
      return CodecFamily::kAv1;
    case AV_CODEC_ID_VP8:
      return CodecFamily::kVp8;
    case AV_CODEC_ID_VP9:
      return CodecFamily::kVp9;
    case AV_CODEC_ID_AAC:
    case AV_CODEC_ID_AAC_LATM:
      return CodecFamily::kAac;
    case AV_CODEC_ID_MP3:
    case AV_CODEC_ID_MP2:
      return CodecFamily::kMp3;
    case AV_CODEC_ID_AC3:
      return CodecFamily::kAc3;
    case AV_CODEC_ID_EAC3:
      return CodecFamily::kEac3;
    case AV_CODEC_ID_OPUS:
      return CodecFamily::kOpus;
    case AV_CODEC_ID_FLAC:
      return CodecFamily::kFlac;
    case AV_CODEC_ID_WEBVTT:
      return CodecFamily::kWebVtt;
    case AV_CODEC_ID_TTML:
      return CodecFamily::kTtml;
    default:
      return CodecFamily::kUnknown;
  }
}

// profile_idc, constraint flags and level_idc of the first sequence parameter set: from avcC, or from the byte stream.
std::optional<CodecInfo> AvcFromBytes(absl::string_view bytes, bool avcc) {
  auto at = [&bytes](size_t i) { return static_cast<int>(static_cast<uint8_t>(bytes[i])); };
  if (avcc) {
    if (bytes.size() < 4 || at(0) != 1) return std::nullopt;
    return MakeAvcCodec(at(1), at(2), at(3));
  }
  const size_t limit = std::min<size_t>(bytes.size(), 64u << 10);
  for (size_t i = 0; i + 6 < limit; ++i) {
    if (at(i) == 0 && at(i + 1) == 0 && at(i + 2) == 1 && (at(i + 3) & 0x1f) == 7) {
      return MakeAvcCodec(at(i + 4), at(i + 5), at(i + 6));
    }
  }
  return std::nullopt;
}

absl::string_view View(const uint8_t* data, int size) {
  return data == nullptr || size <= 0
             ? absl::string_view()
             : absl::string_view(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
}

// One stream while its segment is read.
struct Track {
  StreamFacts facts;
  AVRational time_base{1, 90000};
  AVCodecContext* decoder = nullptr;  // owned by the SegmentDecoder
  bool decode = false;
  double last_duration = 0;
  std::vector<double> pts;  // of the video's packets, for the frame rate; bounded
};

constexpr size_t kMostTimeStamps = 4096;

}  // namespace

struct SegmentDecoder::State {
  struct Cached {
    AVCodecID id = AV_CODEC_ID_NONE;
    std::string extradata;
    CodecPtr context;
  };

  DecodeOptions options;
  std::map<int, Cached> cache;  // by stream index

  SegmentFacts Run(absl::string_view init, absl::string_view segment);

 private:
  void ReadAll(MemoryInput& input, const CpuBudget& budget, const ContainerFacts& container, SegmentFacts& facts);
  Track OpenTrack(const AVStream& stream, const ContainerFacts& container);
  AVCodecContext* Decoder(const AVStream& stream, MediaKind kind);
  void Count(Track& track, const AVPacket& packet, bool annex_b);
  void Decode(Track& track, const AVPacket* packet, SegmentFacts& facts);
  void TakePicture(Track& track, const AVFrame& frame, SegmentFacts& facts);
  void TakeSound(Track& track, const AVFrame& frame, SegmentFacts& facts);
  void Finish(Track& track);

  struct Sound {
    SwrPtr resampler;
    int rate = 0, channels = 0, format = -1;
    size_t block = 0;  // index in SegmentFacts::audio
    double next_pts = 0;
  };
  std::map<int, Sound> sounds_;
  FramePtr last_picture_;
  int video_index_ = -1;
};

AVCodecContext* SegmentDecoder::State::Decoder(const AVStream& stream, MediaKind kind) {
  const AVCodecParameters& parameters = *stream.codecpar;
  std::string extradata(View(parameters.extradata, parameters.extradata_size));
  Cached& cached = cache[stream.index];
  if (cached.context && cached.id == parameters.codec_id && cached.extradata == extradata) {
    avcodec_flush_buffers(cached.context.get());
    return cached.context.get();
  }
  cached = Cached{};
  const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
  if (codec == nullptr) return nullptr;
  CodecPtr context(avcodec_alloc_context3(codec));
  if (!context || avcodec_parameters_to_context(context.get(), &parameters) < 0) return nullptr;
  context->thread_count = 1;
  context->max_pixels = options.max_pixels;
  context->max_samples = 192'000;
  context->pkt_timebase = stream.time_base;
  if (kind == MediaKind::kVideo && !options.every_picture) context->skip_frame = AVDISCARD_NONKEY;
  // Keyframes stand alone: loop filtering them costs a fifth of the time and does not move a block mean.
  if (kind == MediaKind::kVideo && !options.make_jpeg) context->skip_loop_filter = AVDISCARD_ALL;
  if (avcodec_open2(context.get(), codec, nullptr) < 0) return nullptr;
  cached.id = parameters.codec_id;
  cached.extradata = std::move(extradata);
  cached.context = std::move(context);
  return cached.context.get();
}

Track SegmentDecoder::State::OpenTrack(const AVStream& stream, const ContainerFacts& container) {
  const AVCodecParameters& parameters = *stream.codecpar;
  Track track;
  StreamFacts& out = track.facts;
  track.time_base = stream.time_base;
  out.index = stream.index;
  out.id = static_cast<uint32_t>(stream.id);
  out.kind = KindOf(parameters);
  out.codec_name = avcodec_get_name(parameters.codec_id);
  out.codec.family = FamilyOf(parameters.codec_id);
  out.codec.kind = out.kind;
  out.codec.words = out.codec_name;
  out.width = parameters.width;
  out.height = parameters.height;
  out.sample_rate = parameters.sample_rate;
  out.channels = parameters.ch_layout.nb_channels;
  if (const AVDictionaryEntry* language = av_dict_get(stream.metadata, "language", nullptr, 0)) {
    out.language = std::string(absl::string_view(language->value).substr(0, 32));
    if (out.language == "und") out.language.clear();
  }
  auto scheme = container.encryption_scheme.find(out.id);
  if (container.container != Container::kMpegTs && scheme != container.encryption_scheme.end()) {
    out.encrypted = true;
    out.encryption_scheme = scheme->second;
  }
  const bool wanted = (out.kind == MediaKind::kVideo && options.decode_video && video_index_ < 0) ||
                      (out.kind == MediaKind::kAudio && options.decode_audio);
  if (wanted && !out.encrypted && MayDecode(parameters.codec_id)) {
    track.decoder = Decoder(stream, out.kind);
    track.decode = track.decoder != nullptr;
    if (!track.decode) ++out.decode_errors;  // its parameters are broken or past our bounds
    if (out.kind == MediaKind::kVideo) video_index_ = stream.index;
  }
  if (parameters.codec_id == AV_CODEC_ID_H264 && parameters.extradata_size > 0) {
    if (auto codec = AvcFromBytes(View(parameters.extradata, parameters.extradata_size), true)) out.codec = *codec;
  }
  return track;
}

void SegmentDecoder::State::Count(Track& track, const AVPacket& packet, bool annex_b) {
  StreamFacts& facts = track.facts;
  const bool key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
  if (facts.packets == 0) facts.starts_with_keyframe = key;
  ++facts.packets;
  facts.bytes += packet.size;
  facts.keyframes += key;
  facts.corrupt_packets += (packet.flags & AV_PKT_FLAG_CORRUPT) != 0;
  const int64_t stamp = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
  if (stamp != AV_NOPTS_VALUE) {
    const double pts = static_cast<double>(stamp) * av_q2d(track.time_base);
    const double duration = static_cast<double>(std::max<int64_t>(packet.duration, 0)) * av_q2d(track.time_base);
    facts.first_pts_seconds = facts.first_pts_seconds ? std::min(*facts.first_pts_seconds, pts) : pts;
    if (!facts.last_pts_seconds || pts >= *facts.last_pts_seconds) {
      facts.last_pts_seconds = pts;
      track.last_duration = duration;
    }
    if (facts.kind == MediaKind::kVideo && track.pts.size() < kMostTimeStamps) track.pts.push_back(pts);
  }
  if (key && annex_b && facts.codec.family == CodecFamily::kAvc && facts.codec.level < 0) {
    if (auto codec = AvcFromBytes(View(packet.data, packet.size), false)) facts.codec = *codec;
  }
}

void SegmentDecoder::State::Decode(Track& track, const AVPacket* packet, SegmentFacts& facts) {
  // Without decoding between them, only keyframes need to reach the decoder; null drains it.
  if (packet != nullptr && track.facts.kind == MediaKind::kVideo && !options.every_picture &&
      (packet->flags & AV_PKT_FLAG_KEY) == 0) {
    return;
  }
  if (packet != nullptr && packet->size <= 0) return;
  if (track.facts.kind == MediaKind::kVideo && static_cast<int>(facts.pictures.size()) >= options.max_pictures) return;
  FramePtr frame(av_frame_alloc());
  if (!frame) return;
  int error = avcodec_send_packet(track.decoder, packet);
  if (error < 0 && error != AVERROR(EAGAIN) && error != AVERROR_EOF) ++track.facts.decode_errors;
  constexpr int kMostFramesOfAPacket = 64;
  for (int i = 0; i < kMostFramesOfAPacket; ++i) {
    error = avcodec_receive_frame(track.decoder, frame.get());
    if (error == AVERROR(EAGAIN) || error == AVERROR_EOF) break;
    if (error < 0) {
      ++track.facts.decode_errors;
      break;
    }
    if (track.facts.kind == MediaKind::kVideo) {
      TakePicture(track, *frame, facts);
    } else {
      TakeSound(track, *frame, facts);
    }
    av_frame_unref(frame.get());
  }
}

void SegmentDecoder::State::TakePicture(Track& track, const AVFrame& frame, SegmentFacts& facts) {
  if (static_cast<int>(facts.pictures.size()) >= options.max_pictures) return;
  if (frame.decode_error_flags != 0 || (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0) ++track.facts.decode_errors;
  track.facts.width = frame.width;
  track.facts.height = frame.height;
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  constexpr uint64_t kUnsupported = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                                    AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BE;
  if (format == nullptr || (format->flags & kUnsupported) != 0 || frame.data[0] == nullptr) {
    ++track.facts.decode_errors;
    return;
  }
  const AVComponentDescriptor& luma = format->comp[0];
  // Planar luma with its bits at the low end; packed and shifted layouts do not come out of these decoders.
  if (luma.plane != 0 || luma.offset != 0 || luma.shift != 0 || luma.step != (luma.depth > 8 ? 2 : 1)) {
    ++track.facts.decode_errors;
    return;
  }
  const bool full_range = frame.color_range == AVCOL_RANGE_JPEG || frame.format == AV_PIX_FMT_YUVJ420P ||
                          frame.format == AV_PIX_FMT_YUVJ422P || frame.format == AV_PIX_FMT_YUVJ444P;
  PictureFacts picture =
      ReduceLuma(frame.data[0], frame.linesize[0], frame.width, frame.height, luma.depth, full_range);
  if (frame.best_effort_timestamp != AV_NOPTS_VALUE) {
    picture.pts_seconds = static_cast<double>(frame.best_effort_timestamp) * av_q2d(track.time_base);
  } else if (!facts.pictures.empty()) {
    picture.pts_seconds = facts.pictures.back().pts_seconds;
  }
  facts.pictures.push_back(std::move(picture));
  if (options.make_jpeg) last_picture_.reset(av_frame_clone(&frame));
}

void SegmentDecoder::State::TakeSound(Track& track, const AVFrame& frame, SegmentFacts& facts) {
  constexpr int kHighestRate = 192'000;
  if (frame.nb_samples <= 0 || frame.sample_rate <= 0 || frame.sample_rate > kHighestRate ||
      frame.ch_layout.nb_channels <= 0 || frame.ch_layout.nb_channels > 32) {
    ++track.facts.decode_errors;
    return;
  }
  track.facts.sample_rate = frame.sample_rate;
  track.facts.channels = frame.ch_layout.nb_channels;
  Sound& sound = sounds_[track.facts.index];
  const int out_channels = frame.ch_layout.nb_channels == 1 ? 1 : 2;
  const bool fresh = !sound.resampler;
  if (fresh || sound.rate != frame.sample_rate || sound.channels != frame.ch_layout.nb_channels ||
      sound.format != frame.format) {
    // A segment that changes its rate midway keeps what came first: one block has one rate.
    if (!fresh) {
      ++track.facts.decode_errors;
      return;
    }
    AVChannelLayout in_layout{};
    AVChannelLayout out_layout{};
    if (frame.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
      av_channel_layout_default(&in_layout, frame.ch_layout.nb_channels);
    } else if (av_channel_layout_copy(&in_layout, &frame.ch_layout) < 0) {
      return;
    }
    av_channel_layout_default(&out_layout, out_channels);
    SwrContext* made = nullptr;
    int error = swr_alloc_set_opts2(&made, &out_layout, AV_SAMPLE_FMT_FLT, frame.sample_rate, &in_layout,
                                    static_cast<AVSampleFormat>(frame.format), frame.sample_rate, 0, nullptr);
    SwrPtr resampler(made);
    if (error >= 0) error = swr_init(resampler.get());
    av_channel_layout_uninit(&in_layout);
    av_channel_layout_uninit(&out_layout);
    if (error < 0) {
      ++track.facts.decode_errors;
      return;
    }
    sound.resampler = std::move(resampler);
    sound.rate = frame.sample_rate;
    sound.channels = frame.ch_layout.nb_channels;
    sound.format = frame.format;
    sound.block = facts.audio.size();
    AudioBlock block;
    block.stream_index = track.facts.index;
    block.sample_rate = frame.sample_rate;
    block.channels = out_channels;
    block.pts_seconds = frame.best_effort_timestamp != AV_NOPTS_VALUE
                            ? static_cast<double>(frame.best_effort_timestamp) * av_q2d(track.time_base)
                            : track.facts.first_pts_seconds.value_or(0);
    facts.audio.push_back(std::move(block));
  }
  AudioBlock& block = facts.audio[sound.block];
  const auto most =
      static_cast<size_t>(options.max_audio_seconds * block.sample_rate) * static_cast<size_t>(block.channels);
  const size_t before = block.samples.size();
  const size_t added = static_cast<size_t>(frame.nb_samples) * static_cast<size_t>(block.channels);
  if (before + added > most) {
    block.cut = true;
    return;
  }
  block.samples.resize(before + added);
  auto* out = reinterpret_cast<uint8_t*>(block.samples.data() + before);
  const int converted = swr_convert(sound.resampler.get(), &out, frame.nb_samples,
                                    const_cast<const uint8_t**>(frame.extended_data), frame.nb_samples);
  if (converted < 0) ++track.facts.decode_errors;
  block.samples.resize(before + static_cast<size_t>(std::max(converted, 0)) * static_cast<size_t>(block.channels));
  // Broken streams decode to infinities now and then; they would poison every sum.
  for (size_t i = before; i < block.samples.size(); ++i) {
    if (!std::isfinite(block.samples[i]) || std::fabs(block.samples[i]) > 1e3f) block.samples[i] = 0;
  }
}

void SegmentDecoder::State::Finish(Track& track) {
  StreamFacts& facts = track.facts;
  double frame_seconds = 0;
  if (track.pts.size() >= 2) {
    const auto [low, high] = std::minmax_element(track.pts.begin(), track.pts.end());
    if (*high > *low) {
      facts.frame_rate = static_cast<double>(track.pts.size() - 1) / (*high - *low);
      frame_seconds = 1 / facts.frame_rate;
    }
  }
  if (facts.last_pts_seconds) {
    facts.end_pts_seconds = *facts.last_pts_seconds + (track.last_duration > 0 ? track.last_duration : frame_seconds);
  }
  const AVCodecContext* decoder = track.decoder;
  if (decoder == nullptr) return;
  if (decoder->codec_id == AV_CODEC_ID_HEVC && decoder->profile > 0 && decoder->level > 0) {
    const absl::string_view hvcc = View(decoder->extradata, decoder->extradata_size);
    const bool high_tier = hvcc.size() > 1 && hvcc[0] == 1 && (static_cast<uint8_t>(hvcc[1]) & 0x20) != 0;
    facts.codec = MakeHevcCodec(decoder->profile, high_tier, decoder->level);
  } else if (decoder->codec_id == AV_CODEC_ID_AAC && decoder->profile >= 0) {
    facts.codec = MakeAacCodec(decoder->profile + 1);
  } else if (facts.codec.family == CodecFamily::kAc3 || facts.codec.family == CodecFamily::kEac3) {
    if (auto codec = ParseCodecString(facts.codec.family == CodecFamily::kAc3 ? "ac-3" : "ec-3"); codec.ok()) {
      facts.codec = *codec;
    }
  }
}

void SegmentDecoder::State::ReadAll(MemoryInput& input, const CpuBudget& budget, const ContainerFacts& container,
                                    SegmentFacts& facts) {
  std::vector<Track> tracks;
  PacketPtr packet(av_packet_alloc());
  if (!packet) {
    facts.problem = SegmentProblem::kInternal;
    facts.words = "out of memory";
    return;
  }
  AVFormatContext* format = input.get();
  const bool annex_b = container.container == Container::kMpegTs;
  // Transport streams announce streams as they come, so new ones are taken up between packets.
  auto adopt = [&] {
    const size_t count = std::min<size_t>(format->nb_streams, static_cast<size_t>(options.max_streams));
    while (tracks.size() < count) tracks.push_back(OpenTrack(*format->streams[tracks.size()], container));
  };
  adopt();
  int error = 0;
  for (int i = 0; i < options.max_packets; ++i) {
    if (budget.Spent()) {
      facts.problem = SegmentProblem::kOutOfTime;
      facts.words = absl::StrCat("decoding was ended after ", absl::FormatDuration(options.cpu_budget), " of CPU time");
      break;
    }
    error = av_read_frame(format, packet.get());
    if (error < 0) break;
    adopt();
    if (packet->stream_index >= 0 && static_cast<size_t>(packet->stream_index) < tracks.size()) {
      Track& track = tracks[static_cast<size_t>(packet->stream_index)];
      Count(track, *packet, annex_b);
      if (track.decode) Decode(track, packet.get(), facts);
    }
    av_packet_unref(packet.get());
  }
  if (error < 0 && error != AVERROR_EOF && facts.problem == SegmentProblem::kNone) {
    facts.problem = error == AVERROR_EXIT ? SegmentProblem::kOutOfTime : SegmentProblem::kTruncated;
    facts.words = absl::StrCat("reading ended early: ", AvErrorText(error));
  }
  for (Track& track : tracks) {
    if (track.decode && !budget.Spent()) Decode(track, nullptr, facts);
    Finish(track);
    facts.streams.push_back(std::move(track.facts));
  }
}

SegmentFacts SegmentDecoder::State::Run(absl::string_view init, absl::string_view segment) {
  internal::SilenceLibav();
  CpuBudget budget(options.cpu_budget);
  SegmentFacts facts;
  facts.bytes = static_cast<int64_t>(segment.size());
  if (init.size() > options.max_bytes || segment.size() > options.max_bytes - init.size()) {
    facts.problem = SegmentProblem::kTooLarge;
    facts.words = absl::StrCat("the segment has ", segment.size(), " bytes, more than the ", options.max_bytes,
                               " that are looked at");
    return facts;
  }
  ContainerFacts container = InspectContainer(init, segment);
  facts.container = container.container;
  facts.problem = container.problem;
  facts.words = container.words;
  const char* demuxer = nullptr;
  switch (container.container) {
    case Container::kMpegTs:
      demuxer = "mpegts";
      init = {};
      break;
    case Container::kFmp4:
    case Container::kMp4:
      demuxer = "mov";
      break;
    case Container::kAdts:
      demuxer = "aac";
      init = {};
      break;
    case Container::kAc3:
      demuxer = "ac3";
      init = {};
      break;
    case Container::kWebVtt:
    case Container::kUnknown:
      return facts;
  }
  if (container.problem == SegmentProblem::kNoInit) return facts;

  sounds_.clear();
  last_picture_.reset();
  video_index_ = -1;
  SegmentFacts read = facts;
  read.problem = SegmentProblem::kNone;
  read.words.clear();
  {
    MemoryInput input(init, segment.substr(std::min(container.garbage_bytes, segment.size())), budget);
    if (int error = input.Open(demuxer); error < 0) {
      read.problem = budget.Spent() ? SegmentProblem::kOutOfTime : SegmentProblem::kUndecodable;
      read.words =
          absl::StrCat("cannot be demultiplexed as ", ContainerId(container.container), ": ", AvErrorText(error));
    } else {
      ReadAll(input, budget, container, read);
    }
  }
  std::sort(read.pictures.begin(), read.pictures.end(),
            [](const PictureFacts& a, const PictureFacts& b) { return a.pts_seconds < b.pts_seconds; });
  if (last_picture_) read.jpeg = internal::EncodeJpeg(*last_picture_, options.jpeg_max_width);
  last_picture_.reset();
  sounds_.clear();
  read.cpu_time = budget.Used();

  if (read.problem == SegmentProblem::kNone && facts.problem == SegmentProblem::kNone) {
    if (read.streams.empty()) {
      read.problem = SegmentProblem::kNoStreams;
      read.words =
          absl::StrCat("no stream found in ", ContainerId(container.container), " of ", segment.size(), " bytes");
    }
    for (const StreamFacts& stream : read.streams) {
      if (stream.encrypted || stream.packets == 0) continue;
      const bool no_picture =
          stream.index == video_index_ && options.decode_video && stream.keyframes > 0 && read.pictures.empty();
      const bool sound_wanted = stream.kind == MediaKind::kAudio && options.decode_audio;
      const bool no_sound = sound_wanted && stream.decode_errors > 0 &&
                            std::none_of(read.audio.begin(), read.audio.end(),
                                         [&](const AudioBlock& block) { return block.stream_index == stream.index; });
      if (no_picture || no_sound) {
        read.problem = SegmentProblem::kUndecodable;
        read.words = absl::StrCat("no ", no_picture ? "picture" : "sound", " could be decoded from the ",
                                  stream.codec_name, " stream (", stream.decode_errors, " errors)");
      }
    }
  }
  // What the bytes themselves showed explains more than where the demultiplexer stumbled over it.
  if (facts.problem != SegmentProblem::kNone && !IsOurs(read.problem)) {
    read.problem = facts.problem;
    read.words = facts.words;
  }
  return read;
}

SegmentDecoder::SegmentDecoder(DecodeOptions options) : state_(std::make_unique<State>()) { state_->options = options; }
SegmentDecoder::~SegmentDecoder() = default;
SegmentDecoder::SegmentDecoder(SegmentDecoder&&) noexcept = default;
SegmentDecoder& SegmentDecoder::operator=(SegmentDecoder&&) noexcept = default;

SegmentFacts SegmentDecoder::Decode(absl::string_view init, absl::string_view segment) {
  return state_->Run(init, segment);
}

SegmentFacts DecodeSegment(absl::string_view init, absl::string_view segment, const DecodeOptions& options) {
  return SegmentDecoder(options).Decode(init, segment);
}

const StreamFacts* SegmentFacts::First(MediaKind kind) const {
  for (const StreamFacts& stream : streams) {
    if (stream.kind == kind) return &stream;
  }
  return nullptr;
}

}  // namespace puckdrop::media
