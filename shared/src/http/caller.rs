//! The caller, from the claims that the API's JWT authorizer verified.

use std::collections::HashMap;

use lambda_http::{Request, RequestExt, request::RequestContext};

use crate::{
    Error, ErrorKind, Result,
    config::ClaimNames,
    model::{ConnectionKey, InstructorId, Person, PersonRole, TenantId},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The subject of the token.
    pub user: String,
    pub tenant: TenantId,
    /// Who they are, if they are an instructor.
    pub instructor: Option<InstructorId>,
    /// An administrator may act for all instructors of the tenant.
    pub is_admin: bool,
}

impl Caller {
    /// The caller of a request that came through the authorizer.
    pub fn of(request: &Request, names: &ClaimNames) -> Result<Self> {
        match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                let claims = context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
                claims.map_or_else(|| Err(unauthenticated()), |jwt| Self::from_claims(&jwt.claims, names))
            }
            Some(_) | None => Err(unauthenticated()),
        }
    }

    /// A caller without a tenant, or with neither an instructor nor the administrator's role, gets the answer of
    /// something that does not exist.
    fn from_claims(claims: &HashMap<String, String>, names: &ClaimNames) -> Result<Self> {
        let claim = |name: &str| claims.get(name).map(String::as_str);
        let user = claim("sub").filter(|user| !user.is_empty()).ok_or_else(unauthenticated)?;
        let tenant = claim(&names.tenant).and_then(|tenant| tenant.parse().ok()).ok_or_else(Error::not_found)?;
        let is_admin = claim(&names.role) == Some(names.admin.as_str());
        let instructor = claim(&names.instructor).and_then(|id| id.parse().ok());
        if instructor.is_none() && !is_admin {
            return Err(Error::not_found());
        }
        Ok(Self { user: user.to_owned(), tenant, instructor, is_admin })
    }

    pub fn is(&self, instructor: InstructorId) -> bool {
        self.instructor == Some(instructor)
    }

    /// The caller, as the log has them who act for `instructor`.
    pub fn acts_for(&self, instructor: InstructorId) -> Person {
        let role = if self.is(instructor) { PersonRole::Instructor } else { PersonRole::Admin };
        Person { subject: self.user.clone(), role }
    }

    /// Whether the caller sees what the own events of `instructor` are, or only when: the instructor does, and of the
    /// administrators those with whom they share it.
    pub fn sees_plans_of(&self, instructor: InstructorId, shares_titles: bool) -> bool {
        self.is(instructor) || shares_titles
    }

    /// The connection of `instructor`, if the caller may act for them. If not, the answer is the same as for an
    /// instructor that does not exist.
    pub fn connection_of(&self, instructor: InstructorId) -> Result<ConnectionKey> {
        if self.is_admin || self.is(instructor) {
            Ok(ConnectionKey { tenant_id: self.tenant, instructor_id: instructor })
        } else {
            Err(Error::not_found())
        }
    }

    /// The tenant of an administrator. To everyone else such a list does not exist.
    pub fn administered_tenant(&self) -> Result<TenantId> {
        if self.is_admin { Ok(self.tenant) } else { Err(Error::not_found()) }
    }
}

fn unauthenticated() -> Error {
    Error::new(ErrorKind::Unauthenticated, "unauthenticated", "Please sign in.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn names() -> ClaimNames {
        crate::config::Config::from_vars(|_| None).claims()
    }
    fn claims(list: &[(&str, &str)]) -> HashMap<String, String> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }
    const TENANT: &str = "00000000-0000-4000-8000-000000000001";
    const INSTRUCTOR: &str = "00000000-0000-4000-8000-000000000002";

    #[test]
    fn an_instructor_reaches_only_themself_and_an_administrator_the_tenant() {
        let own = INSTRUCTOR.parse::<InstructorId>().unwrap();
        let other = InstructorId(Uuid::from_u128(9));
        let instructor = Caller::from_claims(
            &claims(&[("sub", "u"), ("tenant_id", TENANT), ("instructor_id", INSTRUCTOR)]),
            &names(),
        )
        .unwrap();
        assert!(instructor.connection_of(own).is_ok());
        assert_eq!(instructor.connection_of(other).unwrap_err().kind(), ErrorKind::NotFound);
        let admin =
            Caller::from_claims(&claims(&[("sub", "u"), ("tenant_id", TENANT), ("role", "admin")]), &names()).unwrap();
        assert!(admin.connection_of(other).is_ok());
        assert_eq!(admin.acts_for(own), Person { subject: "u".to_owned(), role: PersonRole::Admin });
        assert_eq!(instructor.acts_for(own).role, PersonRole::Instructor);
        assert_eq!(admin.administered_tenant().unwrap(), admin.tenant);
        assert_eq!(instructor.administered_tenant().unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn titles_are_for_the_instructor_and_for_administrators_with_whom_they_are_shared() {
        let own = INSTRUCTOR.parse::<InstructorId>().unwrap();
        let other = InstructorId(Uuid::from_u128(9));
        let caller = |more: &[(&str, &str)]| {
            Caller::from_claims(&claims(&[&[("sub", "u"), ("tenant_id", TENANT)], more].concat()), &names()).unwrap()
        };
        let (instructor, admin) = (("instructor_id", INSTRUCTOR), ("role", "admin"));
        for (caller, of, shared, sees) in [
            (caller(&[instructor]), own, false, true),
            (caller(&[admin]), own, false, false),
            (caller(&[admin]), own, true, true),
            (caller(&[admin, instructor]), own, false, true),
            (caller(&[admin, instructor]), other, false, false),
            (caller(&[admin, instructor]), other, true, true),
        ] {
            assert_eq!(caller.sees_plans_of(of, shared), sees, "{caller:?} of {of}, shared: {shared}");
            assert!(caller.connection_of(of).is_ok());
        }
    }

    #[test]
    fn without_a_tenant_or_a_role_nothing_exists() {
        for list in [
            &[("sub", "u")][..],
            &[("sub", "u"), ("tenant_id", "x"), ("role", "admin")],
            &[("sub", "u"), ("tenant_id", TENANT)],
            &[("sub", "u"), ("tenant_id", TENANT), ("role", "student")],
            &[("sub", "u"), ("tenant_id", TENANT), ("instructor_id", "x")],
        ] {
            assert_eq!(
                Caller::from_claims(&claims(list), &names()).unwrap_err().kind(),
                ErrorKind::NotFound,
                "{list:?}"
            );
        }
        assert_eq!(Caller::from_claims(&claims(&[]), &names()).unwrap_err().kind(), ErrorKind::Unauthenticated);
    }
}
