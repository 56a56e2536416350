#pragma once

#include "llm/wordpiece.hpp"

#include <boost/json/value.hpp>

namespace maas::llm {

// The parts of the tokenizer that a tokenizer.json of Hugging Face's `tokenizers` describes. Its
// truncation and padding don't count: they belong to whoever runs the model. Throws
// Error{invalid_argument} that names what is missing in the file, or not supported: a model other
// than WordPiece, a normalizer other than BertNormalizer, a pre-tokenizer other than
// BertPreTokenizer.
WordPieceParts read_wordpiece(const boost::json::value& file);

}  // namespace maas::llm
