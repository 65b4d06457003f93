// Users by the batch: while one look-up is under way, further questions gather for the next, so
// that many unknown users cost a few round trips, and many known ones none.
//
// A look-up brings its users' neighbours as well, a page of ids for each user whose page was not
// read yet. The customers of a shop are numbered one by one, so after as many questions as there
// are pages all users are known, and no user's first order waits for the database any more.
// A user that is not on a page that was read may be newer than the page: it is looked up alone.
//
// Customers who come in the order of their numbers, as new ones do, would all wait at the beginning
// of each page. So the first user of a page behind one that was read has the page after it read as
// well, and so has the first user that is asked for on a page that was read ahead.

#include <flashsale/user/module.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <span>
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

    bool is_known(std::int64_t user_id) override {
        bool first_of_page = false;
        if (!known_.contains(user_id, first_of_page)) return false;
        if (first_of_page) read_ahead_of(user_id);
        return true;
    }

    void exists(std::int64_t user_id, callback<std::expected<bool, errc>> done) override {
        if (is_known(user_id)) return done(true);
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
    using asker = callback<std::expected<bool, errc>>;
    using askers = std::unordered_map<std::int64_t, std::vector<asker>>;

    void read_ahead_of(std::int64_t user_id) {
        const id_range page = known_users::page_of(user_id);
        if (page.last == std::numeric_limits<std::int64_t>::max()) return;
        if (known_.was_read(page.last + 1)) return;
        ahead_ = known_users::page_of(page.last + 1);
        if (!looking_up_) look_up();
    }

    void look_up() {
        askers batch;
        while (!waiting_.empty() && batch.size() < options_.lookup_batch_max) {
            batch.insert(waiting_.extract(waiting_.begin()));
        }
        std::set<std::int64_t> pages;  // their first ids
        std::vector<id_range> where;
        for (const auto& [id, asking] : batch) {
            waiting_count_ -= asking.size();
            const id_range page = known_users::page_of(id);
            if (pages.contains(page.first)) continue;
            if (pages.size() < options_.lookup_pages_max && !known_.was_read(id)) {
                pages.insert(page.first);
            } else {
                where.push_back({id, id});
            }
        }
        const auto ahead = std::exchange(ahead_, std::nullopt);
        const bool reads_ahead = ahead && pages.insert(ahead->first).second;
        for (const std::int64_t first : pages)
            where.push_back(known_users::page_of(first));
        looking_up_ = true;
        metrics::lookups.add();
        metrics::looked_up_users.add(std::ssize(batch));
        record_.find_existing(std::move(where),
                              [this, batch = std::move(batch), pages = std::move(pages),
                               ahead = reads_ahead ? ahead : std::nullopt](existing found) mutable {
                                  if (found) remember(*found, pages, ahead);
                                  looking_up_ = false;
                                  std::vector<asker> neighbours = take_known();
                                  if (!waiting_.empty() || ahead_) look_up();
                                  answer(std::move(batch), found);
                                  for (auto& done : neighbours)
                                      done(true);
                              });
    }

    /// Of the waiting questions, those whose user is known by now.
    std::vector<asker> take_known() {
        std::vector<asker> out;
        for (auto one = waiting_.begin(); one != waiting_.end();) {
            if (!known_.contains(one->first)) {
                ++one;
                continue;
            }
            waiting_count_ -= one->second.size();
            std::ranges::move(one->second, std::back_inserter(out));
            one = waiting_.erase(one);
        }
        return out;
    }

    void remember(std::vector<std::int64_t>& found, const std::set<std::int64_t>& pages,
                  const std::optional<id_range>& ahead) {
        std::ranges::sort(found);
        for (std::span<const std::int64_t> left = found; !left.empty();) {
            const id_range page = known_users::page_of(left.front());
            const auto end = std::ranges::upper_bound(left, page.last);
            const auto here = left.first(static_cast<std::size_t>(end - left.begin()));
            if (pages.contains(page.first)) {
                const bool nobody_yet = ahead && *ahead == page;
                known_.add_page(here, nobody_yet);
                const bool in_order = page.first > 0 && known_.was_read(page.first - 1);
                if (in_order && !nobody_yet) read_ahead_of(page.first);
            } else {
                for (const std::int64_t id : here)
                    known_.add(id);
            }
            left = left.subspan(here.size());
        }
    }

    void answer(askers batch, const existing& found) {
        if (!found) {
            for (auto& [id, asking] : batch) {
                for (auto& done : asking)
                    done(std::unexpected(errc::dependency_unavailable));
            }
            return;
        }
        for (auto& [id, asking] : batch) {
            const bool exists = std::ranges::binary_search(*found, id);
            for (auto& done : asking)
                done(exists);
        }
    }

    store& record_;
    const directory_options options_;
    known_users known_;
    askers waiting_;
    std::size_t waiting_count_ = 0;
    std::optional<id_range> ahead_;  // to be read although no question waits
    bool looking_up_ = false;
};

}  // namespace

std::unique_ptr<directory> make_directory(store& record, const directory_options& options) {
    return std::make_unique<batching_directory>(record, options);
}

}  // namespace flashsale::user
