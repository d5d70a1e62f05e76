"""Signs a PDF with pyHanko as its users would: pyhanko_sign.py KEY_FOLDER IN.pdf [OUT.pdf]; without OUT.pdf in place.

A visible signature field on page 1, ETSI.CAdES.detached, P-256 and SHA-256, key and certificate from PEM files.
"""

import sys

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter

folder, source, *target = sys.argv[1:]
signer = signers.SimpleSigner.load(f"{folder}/key.pem", f"{folder}/certificate.pem")
metadata = signers.PdfSignatureMetadata(field_name="Seal", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
field = SigFieldSpec("Seal", on_page=0, box=(57, 57, 170, 170))
pdf_signer = signers.PdfSigner(metadata, signer=signer, new_field_spec=field)
if target:
    with open(source, "rb") as original, open(target[0], "wb") as result:
        pdf_signer.sign_pdf(IncrementalPdfFileWriter(original), output=result)
else:
    with open(source, "rb+") as document:
        pdf_signer.sign_pdf(IncrementalPdfFileWriter(document), in_place=True)
