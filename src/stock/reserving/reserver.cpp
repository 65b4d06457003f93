// From a request for units to units that are taken for good. THE ORDER PATH: a mistake here loses
// or doubles an order.
//
//   reserve()    log up? -> batcher                                   (else refused, nothing taken)
//   gather()     alone -> flush at the end of the turn; among others -> when some have gathered
//   flush()      batch -> gate.reserve(); the confirm deadline of its members starts here
//   decided()    refusal -> answer; recorded repeat -> answer; else the event -> log, and wait
//   confirmed()  in time -> accepted; late, refused or unknown -> outcome_unknown
//
// When a batch goes, and when what was granted goes to the log, batching_policy.hpp says; here are
// the timers. A gate that has fallen silent is not waited for: at every look for expired orders
// whatever waits is sent.
//
// Nothing is ever given back here. Once the gate has granted, the event is in the outbox, and
// whatever happens to this process the order will be recorded; outcome_unknown says only that this
// answer cannot promise it in time.

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/base/must_hold.hpp>
#include <flashsale/events/event.hpp>
#include <flashsale/events/log.hpp>
#include <flashsale/stock/module.hpp>

#include "batching_policy.hpp"
#include "confirm_wait.hpp"
#include "metrics.hpp"
#include "reservation_batcher.hpp"

namespace flashsale::stock {

namespace {

constexpr std::chrono::milliseconds expiry_interval{10};

using answer = confirm_wait::answer;

class gate_reserver final : public reserver {
public:
    gate_reserver(asio::io_context& io, gate_decisions& decides, events::log& log,
                  std::uint32_t shards, const reserver_options& options)
        : io_(io),
          gate_(decides),
          log_(log),
          shards_(shards),
          confirm_deadline_(options.confirm_deadline),
          batching_(decides.batching()),
          message_({options.message_events_enough, options.message_batches_max},
                   batching_.reservations_max() > 1),
          batcher_(shards, batching_, options.waiting_reservations_max),
          flush_posted_(shards, false),
          gathering_(io),
          expiry_(io),
          producer_(log.open_producer(
              io, [this](std::span<const events::confirmation> all) { confirmed(all); })) {
        expire_later();
    }

    void reserve(reserve_request request, answer done) override {
        if (log_.state() != events::log_state::up) {
            return done(std::unexpected(errc::dependency_unavailable));
        }
        const std::uint32_t shard = shard_of(request.product_id, shards_);
        const reservation what{.what = request.what,
                               .product_id = request.product_id,
                               .user_id = request.user_id,
                               .quantity = request.quantity,
                               .idempotency_key = request.idempotency_key,
                               .id = ids_.make(shard, timestamp{}),
                               .dated_by_gate = true,
                               .unit_price_max = request.unit_price_max};
        if (!batcher_.add(shard, what, std::move(done))) {  // moved from only if added
            metrics::overloaded.add();
            return done(std::unexpected(errc::overloaded));
        }
        gather(shard);
    }

private:
    void gather(std::uint32_t shard) {
        const bool others_under_way = at_gate_ > 0 || wait_.size() > 0;
        if (!batching_.gathers(others_under_way) || batching_.is_enough(batcher_.waiting(shard))) {
            flush_soon(shard);
        } else if (!is_gathering_) {
            is_gathering_ = true;
            gathering_.expires_after(batching_.gather_max());
            gathering_.async_wait([this](boost::system::error_code error) {
                if (error) return;
                is_gathering_ = false;
                for (std::uint32_t each = 0; each < shards_; ++each)
                    flush(each);
            });
        }
    }

    void flush_soon(std::uint32_t shard) {
        if (flush_posted_[shard]) return;
        flush_posted_[shard] = true;
        asio::post(io_, [this, shard] {
            flush_posted_[shard] = false;
            flush(shard);
        });
    }

    void flush(std::uint32_t shard) {
        for (auto batch = batcher_.take(shard); !batch.empty(); batch = batcher_.take(shard)) {
            send(shard, std::move(batch));
        }
    }

    void send(std::uint32_t shard, reservation_batch batch) {
        const confirm_wait::moment until = boot_clock::now() + confirm_deadline_;
        at_gate_ += batch.size();
        gate_.reserve(std::move(batch.reservations),
                      [this, shard, until, answers = std::move(batch.answers)](
                          std::vector<decision> decisions) mutable {
                          faults::pass(faults::place::after_reserve);
                          must_hold(decisions.size() == answers.size(),
                                    "the gate decides each reservation of a batch once");
                          must_hold(at_gate_ >= answers.size(), "a batch comes back once");
                          batcher_.finished(shard);
                          at_gate_ -= answers.size();
                          flush(shard);
                          for (std::size_t i = 0; i < answers.size(); ++i) {
                              decided(std::move(decisions[i]), std::move(answers[i]), until);
                          }
                          if (message_.goes_after_batch(batcher_.in_flight(shard))) flush_log();
                      });
    }

    void flush_log() {
        message_.sent();
        producer_->flush();
    }

    void decided(decision made, answer done, confirm_wait::moment until) {
        if (!made) {
            (made.error() == errc::outcome_unknown ? metrics::unknown : metrics::refused).add();
            return done(std::unexpected(made.error()));
        }
        const accepted what{made->id,       made->unit_price,       made->repeat,
                            made->currency, made->payment_window_s, made->recorded};
        if (made->recorded) {
            metrics::replayed.add();
            return done(what);
        }
        must_hold(!made->event.empty(), "what is granted and not recorded has an event");
        const auto ticket =
            wait_.add(made->id, made->event, made->token, {what, std::move(done), until});
        if (!ticket) return;
        if (made->repeat) metrics::publishes_again.add();
        if (!producer_->append(std::move(made->event), made->token, *ticket)) {
            // The units are taken and the outbox has the event: not a refusal.
            metrics::overloaded.add();
            wait_.confirmed(*ticket, false, boot_clock::now());
            return;
        }
        message_.add_event();
    }

    void confirmed(std::span<const events::confirmation> all) {
        const confirm_wait::moment now = boot_clock::now();
        for (const events::confirmation& one : all) {
            const bool durable = one.what == events::outcome::durable;
            wait_.confirmed(one.ticket, durable, now);
        }
    }

    void expire_later() {
        expiry_.expires_after(expiry_interval);
        expiry_.async_wait([this](boost::system::error_code error) {
            if (error) return;
            if (!message_.is_empty()) flush_log();
            wait_.expire(boot_clock::now());
            expire_later();
        });
    }

    asio::io_context& io_;
    gate_decisions& gate_;
    events::log& log_;
    const std::uint32_t shards_;
    const std::chrono::milliseconds confirm_deadline_;
    const gate_batching batching_;
    message_gathering message_;
    uuid_generator ids_;
    reservation_batcher batcher_;
    std::vector<bool> flush_posted_;
    asio::steady_timer gathering_;
    bool is_gathering_ = false;
    std::size_t at_gate_ = 0;  // reservations
    confirm_wait wait_;
    asio::steady_timer expiry_;
    std::unique_ptr<events::log::producer> producer_;
};

}  // namespace

std::unique_ptr<reserver> make_reserver(asio::io_context& io, gate_decisions& decides,
                                        events::log& log, std::uint32_t shards,
                                        const reserver_options& options) {
    return std::make_unique<gate_reserver>(io, decides, log, shards, options);
}

}  // namespace flashsale::stock
