//! Authorities and the certificates that they issue, for servers and for clients.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};

/// Somebody who issues certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate as PEM.
    pub pem: String,
}

/// A certificate and its key.
pub struct Identity {
    /// The certificate as DER.
    pub der: Vec<u8>,
    /// The certificate as PEM.
    pub pem: String,
    /// The key as PEM.
    pub key_pem: String,
}

/// What stands in a certificate.
#[derive(Clone)]
pub struct Wanted(CertificateParams);

impl Wanted {
    /// A client's certificate with this common name, of the organization `Example, Inc.`.
    #[must_use]
    pub fn client(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Example, Inc.");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Self(params)
    }

    /// A server's certificate for this machine.
    #[must_use]
    pub fn server(name: &str) -> Self {
        let Self(mut params) = Self::client(name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = vec![SanType::IpAddress("127.0.0.1".parse().unwrap())];
        Self(params)
    }

    /// With an alternative name.
    #[must_use]
    pub fn known_as(mut self, name: SanType) -> Self {
        self.0.subject_alt_names.push(name);
        self
    }

    /// One that may be used for these things.
    #[must_use]
    pub fn used_for(mut self, purposes: &[KeyUsagePurpose]) -> Self {
        self.0.key_usages = purposes.to_vec();
        self
    }

    /// One that says that it is an authority.
    #[must_use]
    pub fn of_an_authority(mut self) -> Self {
        self.0.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        self
    }

    /// One that was over long ago.
    #[must_use]
    pub fn expired(mut self) -> Self {
        self.0.not_after = date_time_ymd(1990, 1, 1);
        self
    }

    /// Its own authority.
    #[must_use]
    pub fn self_signed(self) -> Identity {
        self.self_signed_with(&KeyPair::generate().unwrap())
    }

    /// The same with this key.
    #[must_use]
    pub fn self_signed_with(self, key: &KeyPair) -> Identity {
        Identity::of(&self.0.self_signed(key).unwrap(), key)
    }
}

impl Authority {
    /// An authority of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Its own certificate as it stands in `x5c`.
    #[must_use]
    pub fn x5c(&self) -> String {
        self.pem.lines().filter(|line| !line.starts_with('-')).collect()
    }

    /// Issues a certificate.
    #[must_use]
    pub fn issue(&self, wanted: Wanted) -> Identity {
        let key = KeyPair::generate().unwrap();
        Identity::of(&wanted.0.signed_by(&key, &self.issuer).unwrap(), &key)
    }
}

impl Identity {
    fn of(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self { der: certificate.der().to_vec(), pem: certificate.pem(), key_pem: key.serialize_pem() }
    }

    /// The thumbprint: `x5t#S256`.
    #[must_use]
    pub fn x5t_s256(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.der))
    }

    /// As it stands in `x5c`.
    #[must_use]
    pub fn x5c(&self) -> String {
        STANDARD.encode(&self.der)
    }

    /// As reqwest shows it.
    #[must_use]
    pub fn to_show(&self) -> reqwest::Identity {
        reqwest::Identity::from_pem(format!("{}{}", self.key_pem, self.pem).as_bytes()).unwrap()
    }
}
