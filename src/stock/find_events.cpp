#include <memory>

#include <flashsale/stock/gate.hpp>

namespace flashsale::stock {

namespace {

struct search {
    gate& at;
    std::vector<uuid> ids;
    gate::found_events found;
    callback<std::expected<gate::found_events, errc>> done;
};

void look_for_next(std::unique_ptr<search> under_way) {
    search& now = *under_way;
    if (now.found.size() == now.ids.size()) return now.done(std::move(now.found));
    now.at.find_event(now.ids[now.found.size()],
                      [under_way = std::move(under_way)](auto one) mutable {
                          if (!one) return under_way->done(std::unexpected(one.error()));
                          under_way->found.push_back(std::move(*one));
                          look_for_next(std::move(under_way));
                      });
}

}  // namespace

void gate::read_backlog(std::uint32_t, callback<std::expected<backlog, errc>> done) {
    done(std::unexpected(errc::dependency_unavailable));
}

void gate::find_events(std::uint32_t, std::vector<uuid> ids,
                       callback<std::expected<found_events, errc>> done) {
    look_for_next(std::make_unique<search>(*this, std::move(ids), found_events{}, std::move(done)));
}

}  // namespace flashsale::stock
