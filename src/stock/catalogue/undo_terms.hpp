#pragma once

namespace flashsale::stock {

/// Of product $1 at revision $2: what only a gate could refuse is taken back. Its columns follow.
#define UNDO_TERMS                                                                     \
    "UPDATE products SET"                                                              \
    " per_user_limit = CASE WHEN undo_limit IS NULL THEN per_user_limit"               \
    "                  ELSE nullif(undo_limit, 0) END,"                                \
    " undo_limit = NULL,"                                                              \
    " withdrawn = CASE WHEN withdrawn = 'deleted' THEN 'archived' ELSE withdrawn END," \
    " revision = revision + 1, version = version + 1"                                  \
    " WHERE id = $1 AND revision = $2 AND (undo_limit IS NOT NULL OR withdrawn = 'deleted')"

}  // namespace flashsale::stock
