//! The papers of the demo's client. Nobody in them exists.

use std::fs;
use std::io;
use std::path::Path;

/// What stands in them too, and what no detector of this version finds.
pub(crate) const UNDETECTED: [&str; 3] = ["names", "passport numbers", "dates of birth"];

const KYC: &str = "KYC file 4711\n\
    Client: Johanna Beispiel, born 14 March 1968, passport C01X00T47.\n\
    E-mail johanna.beispiel@example.com, phone +49 89 23456789.\n\
    Account: IBAN DE89 3704 0044 0532 0130 00; card 4111 1111 1111 1111.\n\
    Tax: Steuer-ID 86 095 742 719.\n\
    Source of funds: sale of a bakery in Munich, documented by the notary's deed of 2 May 2025.\n\
    Risk: low. The client wants a cautious portfolio and a reply by e-mail.\n";
const NOTE: &str = "Note from the last review (should not be here):\n\
    portal key AKIAQYLPMN5HFIQR7XYA\n\
    password = \"Kd93-xPq7-Lm20\"\n";

/// Names of the papers.
pub(crate) const PAPERS: [&str; 2] = ["kyc-4711.txt", "note.txt"];

/// Lays the papers out.
pub(crate) fn write(folder: &Path) -> io::Result<()> {
    let [kyc, note] = PAPERS;
    fs::write(folder.join(kyc), KYC)?;
    fs::write(folder.join(note), NOTE)
}

#[cfg(test)]
mod tests;
