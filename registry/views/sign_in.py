"""Signing in and out."""

from django.contrib.auth.views import LoginView


class SignIn(LoginView):
    template_name = "registry/sign_in.html"
    redirect_authenticated_user = True
