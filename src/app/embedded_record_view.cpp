// While a process serves the folder, its gate answers through the socket. When none does there is
// no gate; then the audit holds the folder's lock and adds up what the next start would: the record
// and, as the outbox, what the log has not handed on yet.

#include <flashsale/events/sqlite.hpp>
#include <flashsale/order/allocation_of.hpp>
#include <flashsale/stock/memory.hpp>
#include <flashsale/stock/module.hpp>

#include <limits>
#include <unordered_set>

#include "data_folder.hpp"
#include "gate_socket.hpp"
#include "memory_record.hpp"
#include "probe.hpp"
#include "sites.hpp"

namespace flashsale::app {

namespace {

/// Later than any that granted: whatever is noted anywhere counts.
constexpr auto next_epoch = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

/// A loaded gate with the log's events as its outbox.
class gate_at_rest final : public readable_gate {
public:
    gate_at_rest(asio::io_context& io, const data_folder& folder, const record_ports& record)
        : units_({}), loaded_(stock::make_memory_gate(units_, io)) {
        std::vector<events::event> unrecorded;
        const auto read = events::for_each_unrecorded(log_options(folder), [&](events::entry one) {
            if (!one) return;  // poison takes no units
            outbox_.push_back(events::text_of(*one));
            unrecorded.push_back(std::move(*one));
        });
        if (!read) throw unavailable_error("the log: " + read.error());
        units_.run_on(io);
        std::unordered_set<stock::allocation_id, stock::allocation_id_hash> seen;
        const auto loader = stock::make_memory_gate_loader(
            units_, [&seen](const stock::allocation& one) { seen.insert(one.id()); });
        must_load(*loader, record, recovery::differing::taken);
        for (const events::event& one : unrecorded) {
            const auto taken = order::allocation_of(one);
            if (taken && !seen.contains(taken->id())) (void)loader->load(std::span(&*taken, 1), {});
        }
        units_.open(next_epoch);
    }

    std::expected<void, std::string> check() const override { return {}; }
    void read_levels(std::uint32_t shard, std::vector<std::int64_t> product_ids,
                     callback<std::expected<levels, stock::errc>> done) override {
        loaded_->read_levels(shard, std::move(product_ids), std::move(done));
    }
    void read_outbox(std::uint32_t, std::string,
                     callback<std::expected<outbox_page, stock::errc>> done) override {
        done(outbox_page{outbox_, {}});
    }
    void list_products(std::uint32_t shard, std::uint64_t epoch, std::string cursor,
                       callback<std::expected<product_page, stock::errc>> done) override {
        loaded_->list_products(shard, epoch, std::move(cursor), std::move(done));
    }

private:
    stock::memory_gate_owner units_;
    std::unique_ptr<stock::gate> loaded_;
    std::vector<std::string> outbox_;
};

class embedded_record_view final : public audit::record_view {
public:
    explicit embedded_record_view(const config& settings)
        : can_(capabilities_of(settings)),
          folder_(settings.sqlite.folder),
          record_(settings, folder_),
          user_database_(open_file(settings, folder_.user())),
          users_(user::make_sqlite_record_reader(user_database_)) {
        try {
            lock_.emplace(folder_.path);
        } catch (const std::runtime_error& held) {
            try {
                gate_ = connect_to_gate(folder_.path);
            } catch (const std::runtime_error& fault) {
                throw unavailable_error(std::string(held.what()) +
                                        ", and its gate does not answer: " + fault.what());
            }
            return;
        }
        gate_ = std::make_unique<gate_at_rest>(io_, folder_, record_.ports);
    }

    asio::io_context& io() override { return io_; }
    stock::gate_levels& gate() override { return *gate_; }
    stock::outbox_pages& outbox() override { return *gate_; }
    std::uint32_t shards() const override { return can_.shards; }
    bool gate_is_database() const override { return can_.gate_is_database; }
    std::optional<stock::shard_state> shard(std::uint32_t) override { return std::nullopt; }
    stock::record_reader& products() override { return *record_.ports.products; }
    order::record_reader& orders() override { return *record_.ports.orders; }
    user::record_reader& users() override { return *users_; }

private:
    const capabilities can_;
    const data_folder folder_;
    std::optional<sqlite::folder_lock> lock_;
    asio::io_context io_;
    embedded_record record_;
    sqlite::database user_database_;
    std::unique_ptr<user::record_reader> users_;
    std::unique_ptr<readable_gate> gate_;
};

}  // namespace

std::unique_ptr<audit::record_view> embedded_site::record_view() const {
    require_files(settings, data_folder(settings.sqlite.folder));
    return std::make_unique<embedded_record_view>(settings);
}

}  // namespace flashsale::app
