#include "sqlite_log.hpp"

#include <spdlog/spdlog.h>

#include <stdexcept>

#include "message_codec.hpp"

namespace flashsale::embedded {
extern const std::string_view events_0001;
}

namespace flashsale::events {

namespace {

constexpr sqlite::statement last_position{
    "SELECT max(position, (SELECT coalesce(max(position), 0) FROM entries)), position"
    " FROM cursors WHERE reader = 'recorder'"};
constexpr sqlite::statement delete_recorded{"DELETE FROM entries WHERE position <= ?1"};
constexpr sqlite::statement move_cursor{
    "UPDATE cursors SET position = ?1 WHERE reader = 'recorder'"};
constexpr sqlite::statement all_entries{"SELECT events FROM entries ORDER BY position"};

}  // namespace

std::span<const migration> sqlite_migrations() {
    static const migration all[] = {{1, "0001_log", embedded::events_0001}};
    return all;
}

sqlite::options file_options(const sqlite_log_options& from) {
    sqlite::options out;
    out.file = from.file;
    out.create = false;
    return out;
}

std::expected<void, sqlite::error> forget_up_to(sqlite::database& in, std::uint64_t recorded) {
    const auto position = static_cast<std::int64_t>(recorded);
    auto gone = in.prepare(delete_recorded).integer(position).run();
    if (!gone) return std::unexpected(gone.error());
    auto moved = in.prepare(move_cursor).integer(position).run();
    if (!moved) return std::unexpected(moved.error());
    return {};
}

std::vector<entry> decode_row(std::string_view events) {
    if (auto decoded = decode_message(events)) return std::move(*decoded);
    std::vector<entry> whole;
    whole.emplace_back(std::unexpected(poison{std::string(events), "not a JSON array of events"}));
    return whole;
}

sqlite_log::sqlite_log(const sqlite_log_options& options)
    : state_(std::make_shared<sqlite_log_state>(options)) {
    auto file = sqlite::database::open(file_options(options));
    if (!file) throw std::runtime_error(file.error().message);
    {
        auto read = file->prepare(last_position);
        const auto row = read.step();
        if (!row) throw std::runtime_error(row.error().message);
        if (!*row) throw std::runtime_error(options.file.string() + ": its cursor is gone");
        state_->durable = static_cast<std::uint64_t>(read.integer_at(0));
        state_->recorded = static_cast<std::uint64_t>(read.integer_at(1));
    }
    log_ = make_sqlite_writer(state_, std::move(*file));
    reader_ = make_sqlite_reader(state_);
}

sqlite_log::~sqlite_log() = default;

bool sqlite_log::drained() const {
    const std::lock_guard lock(state_->mutex);
    return state_->waiting.empty() && state_->recorded == state_->durable;
}

void sqlite_log::forget_recorded() {
    auto file = sqlite::database::open(file_options(state_->options));
    if (!file) return;
    const std::uint64_t recorded = state_->recorded;
    const auto done = file->transaction(
        sqlite::access::write, [&](sqlite::database& in) { return forget_up_to(in, recorded); });
    if (!done) spdlog::info("the log keeps what is recorded: {}", done.error().message);
}

std::uint64_t sqlite_log::unrecorded() const {
    const std::lock_guard lock(state_->mutex);
    return state_->durable - state_->recorded;
}

std::expected<void, std::string> for_each_unrecorded(const sqlite_log_options& of,
                                                     const std::function<void(entry)>& each) {
    auto file = sqlite::database::open(file_options(of));
    if (!file) return std::unexpected(file.error().message);
    auto rows = file->prepare(all_entries);
    while (true) {
        const auto more = rows.step();
        if (!more) return std::unexpected(more.error().message);
        if (!*more) return {};
        for (entry& one : decode_row(rows.text_at(0)))
            each(std::move(one));
    }
}

}  // namespace flashsale::events
