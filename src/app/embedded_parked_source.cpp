#include <flashsale/stock/recovery.hpp>

#include "data_folder.hpp"
#include "probe.hpp"
#include "sites.hpp"

namespace flashsale::app {

namespace {

std::unique_ptr<sqlite::folder_lock> lock_to_decide(const data_folder& folder) {
    try {
        return std::make_unique<sqlite::folder_lock>(folder.path);
    } catch (const std::runtime_error& held) {
        throw unavailable_error(std::string(held.what()) +
                                "; parked events can be listed and shown beside it, and decided "
                                "about when it has ended");
    }
}

class embedded_parked_source final : public parked_source {
public:
    embedded_parked_source(const config& settings, bool to_decide)
        : folder_(settings.sqlite.folder),
          lock_(to_decide ? lock_to_decide(folder_) : nullptr),
          record_(settings, folder_) {}

    const record_ports& record() const override { return record_.ports; }

    bool asks_again() const override { return false; }
    /// What a process that was killed has parked, its log may still have, and the next start will
    /// try to record it once more.
    std::expected<hold, std::string> hold_on(const uuid& id) override {
        bool in_log = false;
        const auto read = events::for_each_unrecorded(
            log_options(folder_),
            [&](const events::entry& one) { in_log |= one && events::base_of(*one).id == id; });
        if (!read) return std::unexpected("the log: " + read.error());
        return in_log ? hold::in_log : hold::none;
    }
    std::expected<stock::given_back, std::string> give_back(const stock::movement& taken) override {
        return stock::give_back(record_.stock_database, taken);
    }
    std::expected<bool, std::string> is_given_back(const stock::movement& taken) override {
        return stock::is_given_back(record_.stock_database, taken);
    }
    const char* after_giving_back() const override {
        return "and for sale from the next start on, which knows nothing of its key";
    }

private:
    const data_folder folder_;
    const std::unique_ptr<sqlite::folder_lock> lock_;
    embedded_record record_;
};

}  // namespace

std::unique_ptr<parked_source> embedded_site::parked(bool to_decide) const {
    require_files(settings, data_folder(settings.sqlite.folder));
    return std::make_unique<embedded_parked_source>(settings, to_decide);
}

}  // namespace flashsale::app
