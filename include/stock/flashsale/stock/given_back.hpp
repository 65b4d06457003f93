#pragma once

namespace flashsale::stock {

/// What became of giving back units that a gate took for something that will never be recorded.
enum class given_back {
    now,
    before,      ///< by an earlier call
    sold,        ///< the ledger has a movement of this id that a client asked for: as it was
    no_product,  ///< nor any units
};

}  // namespace flashsale::stock
