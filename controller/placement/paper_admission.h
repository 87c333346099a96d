#pragma once

#include "controller/placement/candidate.h"

namespace avocet {

/// The admission test of the paper that this system follows, as a baseline to compare with; source: paper_model.h.
/// Classes are the loaded models: rates summed, the smallest objective. With the newcomer on the device:
///   r = rate x pre-processing, of the newcomer alone, on one core: at most 0.8 (edgeTPU nodes: below 1);
///   T_i = paper's mean + pre-processing / (1 - r) + network, below the objective of class i;
///   rate of class i below 0.8 / T_i: its front end answers one request after the other.
struct PaperBound {
  double bound = 0;
  double found = 0; ///< must be below `bound`
};

/// The worst front end: pre-processing, or that of a class (as a share of its time).
PaperBound PaperFrontEnd(const Candidate& candidate);

/// The class that comes nearest to its objective, seconds.
PaperBound PaperResponse(const Candidate& candidate);

} // namespace avocet
