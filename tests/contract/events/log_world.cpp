#include "log_world.hpp"

#include <flashsale/sqlite.hpp>

#include <cstdlib>
#include <random>
#include <stdexcept>
#include <thread>

#include "eventually.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;

events::amqp_options amqp_options(const std::string& names) {
    const char* url = std::getenv("FLASHSALE_AMQP__URL");
    if (url == nullptr || *url == 0) {
        throw std::runtime_error(
            "FLASHSALE_AMQP__URL is not set: run script/test, or start the servers: script/stack "
            "up, then eval \"$(script/stack env)\"");
    }
    events::amqp_options out;
    out.url = url;
    out.name_prefix = names;
    out.prefetch_messages = 2'000;  // a test may read without acknowledging
    out.takes_nil_token = true;
    return out;
}

events::sqlite_log_options sqlite_options(const scratch_folder& folder) {
    events::sqlite_log_options out;
    out.file = folder / "log.db";
    return out;
}

/// The log's thread may still be about to leave the loop that it has posted an answer to when the
/// answer is here, and the worker gone. In a process the workers' loops outlive the log.
asio::io_context& loop_for_ever() {
    static std::vector<std::unique_ptr<asio::io_context>> all;
    return *all.emplace_back(std::make_unique<asio::io_context>());
}

}  // namespace

log_world::log_world(log_adapter kind)
    : kind_(kind), names_("test" + std::to_string(std::random_device{}())) {
    if (kind == log_adapter::sqlite) {
        sqlite::migrate({.file = sqlite_options(folder_).file}, events::sqlite_migrations());
    }
    start();
}

log_world::~log_world() {
    reader_->close();
    log_->stop(1s);
}

void log_world::start() {
    if (kind_ == log_adapter::sqlite) {
        sqlite_ = std::make_unique<events::sqlite_log>(sqlite_options(folder_));
        log_ = &sqlite_->writer();
        reader_ = &sqlite_->recorder_end();
    } else {
        amqp_log_ = events::make_amqp_log(amqp_options(names_));
        amqp_reader_ = events::make_amqp_reader(amqp_options(names_));
        log_ = amqp_log_.get();
        reader_ = amqp_reader_.get();
    }
    log_->start();
    const bool up = eventually(60s, [&] { return log_->state() == events::log_state::up; });
    if (!up) throw std::runtime_error("the log: " + log_->fault());
}

void log_world::restart() {
    reader_->close();
    log_->stop(1s);
    sqlite_.reset();
    amqp_log_.reset();
    amqp_reader_.reset();
    start();
}

log_world::worker::worker(events::log& to)
    : io_(loop_for_ever()),
      producer_(to.open_producer(io_, [this](std::span<const events::confirmation> all) {
          for (const auto& one : all) {
              answers_[one.ticket].push_back(one.what);
              ++answered_;
          }
      })) {}

bool log_world::worker::append(std::uint64_t seq, const uuid& token, bool now) {
    const bool taken = producer_->append(numbered_event(seq), token, seq);
    if (now) flush();
    if (taken) ++appended_;
    return taken;
}

void log_world::worker::flush() {
    producer_->flush();
}

bool log_world::worker::append_text(std::string text, std::uint64_t ticket) {
    const bool taken = producer_->append(std::move(text), uuid{}, ticket);
    producer_->flush();
    if (taken) ++appended_;
    return taken;
}

void log_world::worker::wait_for_answers() {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (answered_ < appended_ && std::chrono::steady_clock::now() < until) {
        io_.run_for(5ms);
    }
    poll();
    if (answered_ != appended_) {
        throw std::runtime_error(std::to_string(answered_) + " answers to " +
                                 std::to_string(appended_) + " events");
    }
}

void log_world::worker::poll() {
    io_.poll();
}

bool log_world::worker::all_durable() const {
    return std::ranges::all_of(answers_, [](const auto& one) {
        return one.second == std::vector{events::outcome::durable};
    });
}

std::vector<events::entry> log_world::read(std::size_t events) {
    std::vector<events::entry> all;
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (all.size() < events && std::chrono::steady_clock::now() < until) {
        auto some = reader_->next(50ms);
        if (!some) {
            std::this_thread::sleep_for(20ms);
            continue;
        }
        if (some->position != 0) last_position = some->position;
        for (auto& one : some->entries)
            all.push_back(std::move(one));
    }
    return all;
}

std::string numbered_event(std::uint64_t seq) {
    events::order_accepted out;
    static thread_local uuid_generator ids;
    out.id = ids.make();
    out.user_id = 7;
    out.product_id = 3;
    out.quantity = 1;
    out.idempotency_key = "key";
    out.created_at = out.id.time();
    out.unit_price = 1'999;
    out.epoch = 1;
    out.seq = seq;
    return events::text_of(out);
}

std::vector<std::uint64_t> seqs_of(const std::vector<events::entry>& entries) {
    std::vector<std::uint64_t> out;
    for (const auto& one : entries)
        out.push_back(one ? std::get<events::order_accepted>(*one).seq : 0);
    return out;
}

std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> out;
    for (std::uint64_t i = first; i <= last; ++i)
        out.push_back(i);
    return out;
}

}  // namespace flashsale::test
