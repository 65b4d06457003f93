// Users by the batch: while one look-up is under way, whoever else asks gathers for the next, so
// that a crowd of strangers costs a few round trips and a crowd of acquaintances none.

#include <flashsale/user/module.hpp>

#include <unordered_map>
#include <utility>
#include <vector>

#include "known_users.hpp"
#include "metrics.hpp"

namespace flashsale::user {

namespace {

class batching_directory final : public directory {
public:
    batching_directory(store& record, const directory_options& options)
        : record_(record), options_(options), known_(options.cached_users_max) {}

    bool is_known(std::int64_t user_id) override { return known_.contains(user_id); }

    void exists(std::int64_t user_id, callback<std::expected<bool, errc>> done) override {
        if (known_.contains(user_id)) return done(true);
        if (waiting_count_ >= options_.waiting_lookups_max) {
            metrics::overloaded.add();
            return done(std::unexpected(errc::overloaded));
        }
        ++waiting_count_;
        waiting_[user_id].push_back(std::move(done));
        if (!looking_up_) look_up();
    }

private:
    using existing = std::expected<std::vector<std::int64_t>, store_errc>;
    using askers =
        std::unordered_map<std::int64_t, std::vector<callback<std::expected<bool, errc>>>>;

    void look_up() {
        askers batch;
        while (!waiting_.empty() && batch.size() < options_.lookup_batch_max) {
            batch.insert(waiting_.extract(waiting_.begin()));
        }
        std::vector<std::int64_t> ids;
        for (const auto& [id, asking] : batch) {
            ids.push_back(id);
            waiting_count_ -= asking.size();
        }
        looking_up_ = true;
        metrics::lookups.add();
        metrics::looked_up_users.add(std::ssize(ids));
        record_.find_existing(std::move(ids),
                              [this, batch = std::move(batch)](existing found) mutable {
                                  looking_up_ = false;
                                  if (!waiting_.empty()) look_up();
                                  answer(std::move(batch), found);
                              });
    }

    void answer(askers batch, const existing& found) {
        if (!found) {
            for (auto& [id, asking] : batch) {
                for (auto& done : asking)
                    done(std::unexpected(errc::dependency_unavailable));
            }
            return;
        }
        for (const std::int64_t id : *found) {
            known_.add(id);
            auto asking = batch.extract(id);
            for (auto& done : asking.mapped())
                done(true);
        }
        for (auto& [id, asking] : batch) {
            for (auto& done : asking)
                done(false);
        }
    }

    store& record_;
    const directory_options options_;
    known_users known_;
    askers waiting_;
    std::size_t waiting_count_ = 0;
    bool looking_up_ = false;
};

}  // namespace

std::unique_ptr<directory> make_directory(store& record, const directory_options& options) {
    return std::make_unique<batching_directory>(record, options);
}

}  // namespace flashsale::user
