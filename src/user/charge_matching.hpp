#pragma once

// Payments from balances against their entries, piece by piece. The decisions are read first, and a
// payment has both or neither: so each decision that was read has its entry, and an entry whose
// decision was not read has one by now.

#include <flashsale/user/record.hpp>

#include <optional>
#include <unordered_map>
#include <vector>

namespace flashsale::user {

class charge_matching {
public:
    void note(const taken_charge& decision);
    /// What its entry says, after all decisions.
    void note_entry(const taken_charge& entry);

    /// Payments whose decisions are to be looked up, at most so many; nullopt: there are no more.
    std::optional<std::vector<uuid>> next_unknown(std::size_t payments_max);
    void note_later(const taken_charge& decision);

    /// What is not of each other, by its payment: a decision, or an entry that has none.
    std::vector<taken_charge> odd() const;

private:
    struct pair {
        taken_charge decision;
        bool has_entry = false, is_odd = false;
    };
    void match(pair& with, const taken_charge& entry);

    std::unordered_map<uuid, pair, uuid_hash> decisions_;
    std::unordered_multimap<uuid, taken_charge, uuid_hash> unknown_;  ///< entries
    std::vector<uuid> to_look_up_;
    bool is_listed_ = false;
};

}  // namespace flashsale::user
