#pragma once

// What a process has of recovery: the real pass over the shards, and the real rebuild.

namespace flashsale::model {

class process;

/// Pass by pass, for as long as the process lives; on a fiber of its own.
void look_after_shards(process& of);

/// What `flashsale rebuild` does, once; likewise.
void rebuild_as_an_operator(process& of);

}  // namespace flashsale::model
