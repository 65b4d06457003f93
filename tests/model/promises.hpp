#pragma once

// What was promised to clients in a run, and whether it was kept.

#include <flashsale/base/uuid.hpp>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "world.hpp"

namespace flashsale::model {

/// What a client wants, once, however often it asks.
struct intent {
    int number = 0;
    bool reduction = false;
    std::int64_t user = 0, product = 0, quantity = 0;
    std::string key;
};

class promises {
public:
    explicit promises(world& in) : in_(in) {}

    // --- answers, as the process decided them ---
    void accepted(const intent& what, const uuid& id);
    /// `asked`: when this attempt began; one that was under way with the accepted one may differ.
    void refused(const intent& what, std::string_view why, micros asked);
    void not_found(const uuid& id);
    /// A gate is held, whose record is said to be behind it: no database loses anything here.
    void held(std::string_view why);

    // --- losses, as the servers suffered them ---
    void lost_by_redis(const std::string& id);
    void lost_by_broker(const std::string& id);

    /// At rest: what is broken, one line each. Empty: nothing.
    std::string broken() const;
    void note(std::string broken) { found_.push_back(std::move(broken)); }
    /// What was found broken at once.
    bool already_broken() const { return !found_.empty(); }
    /// Both copies of an accepted order were destroyed before either could be used.
    bool excused(const std::string& id) const { return excused_.contains(id); }

private:
    bool anywhere(const std::string& id) const;

    world& in_;
    struct answer {
        const intent* what;
        std::set<uuid> ids;
        micros first = 0;
    };
    std::map<int, answer> answers_;
    std::set<std::string> lost_by_redis_, lost_by_broker_, excused_;
    std::vector<std::string> found_;
};

/// The last characters of an id, which differ.
std::string short_id(std::string_view id);

}  // namespace flashsale::model
