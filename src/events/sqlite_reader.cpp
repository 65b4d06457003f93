// The reading end, on the recorder's thread, with a connection of its own: WAL lets it read while
// the writer commits. It begins at the oldest row, because what was acknowledged is gone, and keeps
// its place in memory; so a death brings everything again that was not acknowledged, and the
// recorder, which knows its events by id, counts none twice.

#include <flashsale/base/async.hpp>

#include <optional>

#include "sqlite_log.hpp"

namespace flashsale::events {

namespace {

constexpr sqlite::statement read_entries{
    "SELECT position, events FROM entries WHERE position > ?1 ORDER BY position"};

class sqlite_reader final : public reader {
public:
    explicit sqlite_reader(std::shared_ptr<sqlite_log_state> shared)
        : shared_(std::move(shared)), place_(shared_->recorded) {}

    std::expected<batch, std::string> next(std::chrono::milliseconds patience) override {
        std::uint64_t durable = 0;
        {
            std::unique_lock lock(shared_->mutex);
            shared_->fresh.wait_for(lock, patience, [this] {
                return shared_->durable > place_ || shared_->interrupted;
            });
            // Alone, an event is handed out at once. In a flood more gathers, and costs no more.
            shared_->fresh.wait_until(lock, next_batch_from_, [this] {
                return shared_->unread >= shared_->options.events_per_batch_max ||
                       shared_->interrupted || shared_->stopping;
            });
            durable = shared_->durable;
        }
        batch out;
        if (durable <= place_) return out;
        if (!file_) {
            auto opened = sqlite::database::open(file_options(shared_->options));
            if (!opened) return failed(std::move(opened.error()));
            file_.emplace(std::move(*opened));
        }
        auto rows = file_->prepare(read_entries);
        rows.integer(static_cast<std::int64_t>(place_));
        std::uint64_t last = place_;
        while (out.entries.size() < shared_->options.events_per_batch_max) {
            const auto more = rows.step();
            if (!more) return failed(more.error());
            if (!*more) break;
            last = static_cast<std::uint64_t>(rows.integer_at(0));
            std::vector<entry> entries = decode_row(rows.text_at(1));
            out.entries.insert(out.entries.end(), std::make_move_iterator(entries.begin()),
                               std::make_move_iterator(entries.end()));
        }
        place_ = out.position = last;
        next_batch_from_ = std::chrono::steady_clock::now() + shared_->options.reading_interval;
        {
            const std::lock_guard lock(shared_->mutex);
            shared_->unread -= std::min(shared_->unread, out.entries.size());
        }
        note({});
        return out;
    }

    void acknowledge(std::uint64_t position) override {
        if (position == 0) return;
        {
            const std::lock_guard lock(shared_->mutex);
            shared_->recorded = std::max(shared_->recorded, position);
        }
        shared_->work.notify_one();
    }

    bool keep_alive() override { return true; }

    log_state state() const override {
        const std::lock_guard lock(mutex_);
        return fault_.empty() ? log_state::up : log_state::down;
    }
    std::string fault() const override {
        const std::lock_guard lock(mutex_);
        return fault_;
    }
    void interrupt() override {
        {
            const std::lock_guard lock(shared_->mutex);
            shared_->interrupted = true;
        }
        shared_->fresh.notify_one();
    }
    void close() override { file_.reset(); }

private:
    std::unexpected<std::string> failed(const sqlite::error& why) {
        note(why.message);
        return std::unexpected(why.message);
    }
    void note(std::string fault) {
        const std::lock_guard lock(mutex_);
        fault_ = std::move(fault);
    }

    const std::shared_ptr<sqlite_log_state> shared_;
    std::uint64_t place_;  // of the last row handed out
    deadline next_batch_from_{};
    std::optional<sqlite::database> file_;
    mutable std::mutex mutex_;
    std::string fault_;  // under mutex_
};

}  // namespace

std::unique_ptr<reader> make_sqlite_reader(std::shared_ptr<sqlite_log_state> shared) {
    return std::make_unique<sqlite_reader>(std::move(shared));
}

}  // namespace flashsale::events
